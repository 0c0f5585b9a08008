import { plainWord } from './unknown-key.ts';

/**
 * What people bring along from systemd units, supervisord, docker compose and pm2, by the key that
 * does it here. Only told in messages: none of these words works.
 */
const SERVICE: Readonly<Record<string, readonly string[]>> = {
  application: ['name', 'service', 'service_name', 'container_name', 'id', 'title'],
  'process.start_command': [
    'command',
    'cmd',
    'exec',
    'exec_start',
    'entrypoint',
    'script',
    'start',
    'run',
    'program',
    'args',
    'argv',
  ],
  'process.stop_command': ['exec_stop', 'stop', 'shutdown_command'],
  'process.working_directory': [
    'cwd',
    'dir',
    'directory',
    'chdir',
    'working_dir',
    'workdir',
    'root',
  ],
  'process.environment': ['env', 'envs', 'environment_variables', 'environ'],
  'process.env_file': ['environment_file', 'dotenv', 'env_files'],
  'process.user': ['run_as', 'uid', 'owner', 'username'],
  'process.group': ['gid'],
  'process.stop_signal': ['kill_signal', 'signal'],
  'process.stop_grace_period_ms': [
    'stop_grace_period',
    'timeout_stop_sec',
    'stop_wait_secs',
    'kill_timeout',
    'stop_timeout',
    'grace_period',
  ],
  'process.success_exit_codes': ['exit_codes', 'success_exit_status'],
  'process.limits': ['ulimits', 'ulimit', 'rlimits'],
  'process.limits.nofile': ['limit_nofile', 'max_open_files', 'minfds'],
  'process.limits.nproc': ['limit_nproc', 'minprocs'],
  'process.limits.core': ['limit_core'],
  'process.limits.memlock': ['limit_memlock'],
  'process.ambient_capabilities': ['cap_add', 'capabilities'],
  'process.no_new_privileges': ['no_new_privs'],
  'process.oom_score_adj': ['oom_score_adjust'],
  'process.nice': ['priority'],
  'process.schedule': ['cron', 'on_calendar', 'crontab', 'cron_restart', 'timer'],
  'process.max_time_per_run': ['runtime_max_sec', 'timeout', 'max_runtime'],
  'restart_policy.policy': ['restart', 'auto_restart', 'respawn'],
  'restart_policy.restart_backoff_ms': ['restart_sec', 'restart_delay', 'delay', 'backoff'],
  'restart_policy.backoff_max_ms': ['restart_max_delay_sec'],
  'restart_policy.tolerance.max_restarts': ['start_retries', 'start_limit_burst', 'max_retries'],
  'restart_policy.tolerance.duration': ['start_limit_interval_sec', 'window'],
  'global.enabled': ['auto_start', 'enable', 'disabled', 'active', 'on'],
  'logs.stdout': [
    'standard_output',
    'stdout_logfile',
    'stdout_path',
    'out_file',
    'log_file',
    'output',
    'out',
  ],
  'logs.stderr': ['standard_error', 'stderr_logfile', 'stderr_path', 'error_file', 'err', 'error'],
  'logs.rotation_size': ['stdout_logfile_maxbytes', 'max_log_size', 'max_size'],
  'logs.rotation_backups': ['stdout_logfile_backups', 'max_log_files'],
  'resources.max_memory': [
    'memory',
    'memory_max',
    'mem_limit',
    'memory_limit',
    'max_memory_restart',
  ],
  'resources.max_cpu': ['cpu', 'cpus', 'cpu_quota', 'cpu_limit'],
  'resources.max_pids': ['tasks_max', 'pids_limit'],
};

const MASTER: Readonly<Record<string, readonly string[]>> = {
  'global.config_directory': ['config_dir', 'conf_dir', 'include', 'include_dir', 'services'],
  'global.auto_service_directory': ['auto_services', 'auto_service_dir', 'services_dir'],
  'global.default_service_user': ['user', 'default_user'],
  'global.default_service_group': ['group', 'default_group'],
  'global.runtime_directory': ['run_dir', 'runtime_dir', 'pid_file', 'pidfile'],
  'global.state_directory': ['state_dir', 'data_dir', 'data_directory', 'var_dir'],
  'unix_socket.path': ['socket', 'sock', 'socket_path', 'listen'],
  'cgroup.name': ['instance', 'name', 'identifier'],
  'cgroup.root': ['cgroup_root', 'cgroup_path', 'mount'],
  'cgroup.memory_max': ['max_memory', 'memory'],
  'cgroup.cpu_max': ['max_cpu', 'cpu'],
  'journal.max_age': ['retention', 'keep'],
  web_console: ['web', 'http', 'console', 'ui', 'inet_http_server'],
};

/** The words for service definitions, see {@link Vocabulary}. */
export function serviceWords(): ReadonlyMap<string, string> {
  return wordsOf(SERVICE);
}

/** The words for master configs. */
export function masterWords(): ReadonlyMap<string, string> {
  return wordsOf(MASTER);
}

function wordsOf(table: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).flatMap(([path, words]) =>
      words.map((word) => [plainWord(word), path] as const),
    ),
  );
}

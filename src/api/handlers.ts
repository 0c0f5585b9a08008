import type { Handlers } from '../rpc/dispatch.ts';
import { killActions, listActionProcesses, listActions, runAction } from './admin-actions.ts';
import { describeService } from './describe-service.ts';
import { showDiff } from './diff.ts';
import { disableServices, enableServices } from './enable-disable.ts';
import { listEvents } from './events.ts';
import { clearFlags, setFlags } from './flags.ts';
import { showHistory, showNext } from './job-history.ts';
import { findLogSources, findLogStart, readLogBefore, readLogs, tailLogs } from './logs.ts';
import { showMetrics } from './metrics.ts';
import { noteAccess } from './note-access.ts';
import type { ApiPorts } from './ports.ts';
import { restartDaemon } from './restart-daemon.ts';
import { readRunOutput, runJob } from './run-job.ts';
import { restartServices, startServices, stopServices } from './start-stop.ts';
import { showBriefStatus, showStatus } from './status.ts';
import { updateSources } from './update.ts';
import { showUsage, showUsageHistory } from './usage.ts';
import { showVersion } from './version.ts';
import { waitForState } from './wait-for-state.ts';
import { whyService } from './why-service.ts';

/** Every method of the contract as a use case over the daemon's ports. */
export function createHandlers(ports: ApiPorts): Handlers {
  return {
    'daemon.version': () => showVersion(ports),
    'daemon.metrics': () => showMetrics(ports),
    'console.note': (params, context) => noteAccess(ports, params, context),
    'daemon.restart': (_params, context) => restartDaemon(ports, context),
    status: (params) => showStatus(ports, params),
    'status.brief': (params) => showBriefStatus(ports, params),
    'services.why': (params) => whyService(ports, params),
    'services.describe': (params) => describeService(ports, params),
    'services.start': (params, context) => startServices(ports, params, context),
    'services.stop': (params, context) => stopServices(ports, params, context),
    'services.restart': (params, context) => restartServices(ports, params, context),
    'services.wait': (params, context) => waitForState(ports, params, context),
    'services.enable': (params, context) => enableServices(ports, params, context),
    'services.disable': (params, context) => disableServices(ports, params, context),
    'sources.update': (params, context) => updateSources(ports, params, context),
    'sources.diff': (params) => showDiff(ports, params),
    'events.list': (params, context) => listEvents(ports, params, context),
    'flags.set': (params, context) => setFlags(ports, params, context),
    'flags.clear': (params, context) => clearFlags(ports, params, context),
    'jobs.run': (params, context) => runJob(ports, params, context),
    'jobs.output': (params) => readRunOutput(ports, params),
    'jobs.history': (params) => showHistory(ports, params),
    'jobs.next': (params) => showNext(ports, params),
    usage: (params) => showUsage(ports, params),
    'usage.history': (params) => showUsageHistory(ports, params),
    'admin.list': () => listActions(ports),
    'admin.run': (params, context) => runAction(ports, params, context),
    'admin.ps': () => listActionProcesses(ports),
    'admin.kill': (params, context) => killActions(ports, params, context),
    'logs.sources': (params) => findLogSources(ports, params),
    'logs.start': (params) => findLogStart(ports, params),
    'logs.read': (params) => readLogs(ports, params),
    'logs.before': (params) => readLogBefore(ports, params),
    'logs.tail': (params) => tailLogs(ports, params),
  };
}

import { type BuildInfo, buildInfo, describeBuild } from '../lib/build-info.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { Actor } from '../model/intent.ts';
import type { InstanceIdentity } from './preflight.ts';
import { type CommandLine, checkSuccessor } from './successor.ts';

/** A restart that is about to happen. */
export interface RestartPlan {
  readonly from: BuildInfo;
  readonly to: BuildInfo;
}

export interface RestartRequestParts {
  readonly commandLine: CommandLine;
  readonly instance: InstanceIdentity;
  readonly say: (kind: string, message: string, actor: Actor) => void;
  readonly onReplaceable: () => void;
}

/** Asked for by an operator or by SIGUSR2; one at a time. */
export class RestartRequest {
  readonly #parts: RestartRequestParts;
  #isUnderWay = false;

  constructor(parts: RestartRequestParts) {
    this.#parts = parts;
  }

  /** @throws ProcessmasterError `conflict`: the running daemon goes on, and why. */
  async make(actor: Actor): Promise<RestartPlan> {
    if (this.#isUnderWay) {
      throw new ProcessmasterError('conflict', 'cannot restart the daemon: it is being restarted');
    }
    this.#isUnderWay = true;
    const { commandLine, instance, say, onReplaceable } = this.#parts;
    try {
      const plan = { from: buildInfo(), to: await checkSuccessor(commandLine, instance) };
      say(
        'daemon.restarting',
        `${describeBuild(plan.from)} is replaced by ${describeBuild(plan.to)}`,
        actor,
      );
      // After this turn, so that who asked has the answer in the socket.
      setImmediate(onReplaceable);
      return plan;
    } catch (error) {
      this.#fail(error, actor);
      throw error;
    }
  }

  /** Looks once more, after a wait: `false` when the running daemon has to go on after all. */
  async confirm(): Promise<boolean> {
    try {
      await checkSuccessor(this.#parts.commandLine, this.#parts.instance);
      return true;
    } catch (error) {
      this.#fail(error, 'daemon');
      return false;
    }
  }

  #fail(error: unknown, actor: Actor): void {
    this.#isUnderWay = false;
    this.#parts.say('daemon.restart-failed', messageOf(error), actor);
  }
}

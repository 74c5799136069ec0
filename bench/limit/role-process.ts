/** One process of the bare pipeline: `node role-process.js JSON`, see `LimitRole`. */
import { unreachable } from '../../src/base/index.ts';
import { runClient } from './client.ts';
import { Follower } from './follower.ts';
import { Leader } from './leader.ts';
import type { LimitLoad, LimitRole, PipelineReply } from './limit-spec.ts';

function tell(message: PipelineReply): void {
  process.send?.(message);
}

function tellPort(port: number): void {
  tell({ type: 'port', port });
}

function tellBegun(): void {
  tell({ type: 'begun' });
}

function begin(role: LimitRole): void {
  switch (role.role) {
    case 'leader': {
      const leader = new Leader(role.spec, role.directory);
      for (const port of role.followerPorts) leader.follow(port);
      leader.listen(tellPort);
      return;
    }
    case 'follower':
      new Follower(role.spec, role.directory).listen(tellPort);
      return;
    case 'client':
      process.on('message', (load: LimitLoad) => {
        void runClient(role.spec, role.port, load, tellBegun).then((result) =>
          tell({ type: 'result', result }),
        );
      });
      return;
    default:
      unreachable(role);
  }
}

process.on('disconnect', () => process.exit());
begin(JSON.parse(process.argv[2] ?? '') as LimitRole);

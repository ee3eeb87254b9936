import { ruleDraft, ruleId } from '../../shared/model/rule.ts';
import { parse } from '../../shared/parse.ts';
import type { Command } from './arguments.ts';
import { type Context, startOwnApp } from './context.ts';

/** Makes or deletes a rule; what the cloud is not told before the end, it is told at the next start. */
export async function changeRules(command: Extract<Command, { kind: 'addRule' | 'removeRule' }>, context: Context): Promise<number> {
  const { agent, close } = await startOwnApp(context);
  try {
    if (command.kind === 'removeRule') {
      await agent.handlers.deleteRule({ id: parse(ruleId, command.id, 'the rule’s ID') });
      return 0;
    }
    const { name, condition, notify } = command;
    const draft = parse(ruleDraft, { name, condition, notify }, 'the rule');
    const rule = await agent.handlers.saveRule({ id: null, draft });
    const { count } = await agent.handlers.dryRun({ draft });
    if (context.json) context.output.json({ rule, wouldHaveMatched: count });
    else context.output.say(`${rule.id}  It would have matched ${count} in the library so far.`);
    return 0;
  } finally {
    await close();
  }
}

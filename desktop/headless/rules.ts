import { ruleDraft, ruleId } from '../../shared/model/rule.ts';
import { parse } from '../../shared/parse.ts';
import type { Command } from './arguments.ts';
import { askAgent, type Context } from './context.ts';

/** Makes or deletes a rule; what the cloud is not told before the end, it is told at the next start. */
export async function changeRules(command: Extract<Command, { kind: 'addRule' | 'removeRule' }>, context: Context): Promise<number> {
  if (command.kind === 'removeRule') {
    const id = parse(ruleId, command.id, 'the rule’s ID');
    await askAgent(context, (agent) => agent.deleteRule({ id }));
    return 0;
  }
  const { name, condition, notify } = command;
  const draft = parse(ruleDraft, { name, condition, notify }, 'the rule');
  const { rule, count } = await askAgent(context, async (agent) => {
    const rule = await agent.saveRule({ id: null, draft });
    return { rule, ...(await agent.dryRun({ draft })) };
  });
  if (context.json) context.output.json({ rule, wouldHaveMatched: count });
  else context.output.say(`${rule.id}  It would have matched ${count} in the library so far.`);
  return 0;
}

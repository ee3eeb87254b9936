import { owner } from '../../shared/commands.ts';
import { libraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import { runCommand } from '../steps/commands.ts';
import { lambda } from './lambda.ts';

/** The library is the caller's Cognito identity: nobody can ask for another's. Who has none may ask by the owner's alias, which no desktop's policy names. */
export const handler = lambda((request, backend, { identity, invokedFunctionArn }) => {
  const library = identity ? identity.cognitoIdentityId : invokedFunctionArn?.endsWith(`:${owner}`) && owner;
  return runCommand(request, parse(libraryId, library, "caller's identity"), backend);
});

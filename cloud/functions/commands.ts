import { libraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import { runCommand } from '../steps/commands.ts';
import { lambda } from './lambda.ts';

/**
 * The library is the caller's Cognito identity: nobody can ask for another's. Who has none was let in by the account itself, whose library is
 * `owner`.
 */
export const handler = lambda((request, backend, { identity }) =>
  runCommand(request, parse(libraryId, identity ? identity.cognitoIdentityId : 'owner', "caller's identity"), backend),
);

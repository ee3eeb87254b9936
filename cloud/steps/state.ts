import * as v from 'valibot';
import { originalRef } from '../../shared/keys.ts';
import { type Media, media, type Rendition, rendition } from '../../shared/model/asset.ts';
import { match } from '../../shared/model/rule.ts';
import { parse } from '../../shared/parse.ts';
import type { Backend } from './backend.ts';

/**
 * What the steps hand on to each other through the state machine. It stays far under Step Functions' 256 KB: what may grow is written
 * to the output bucket and handed on as its key.
 */

/** One task of the state machine, as it is invoked: it checks its input itself and answers plain JSON. */
export type Task = (input: unknown, backend: Backend) => Promise<object>;

/** Makes a task of a function and the schema of its input; whatever else the state holds is ignored. */
export const task =
  <S extends v.GenericSchema, O extends object>(name: string, schema: S, run: (input: v.InferOutput<S>, backend: Backend) => Promise<O>) =>
  (input: unknown, backend: Backend): Promise<O> =>
    run(parse(schema, input, `input of ${name}`), backend);

/** Which object to look at, and which attempt this is. `version` tells one writing of the inbox object from the next (inbox.ts). */
export const executionInput = v.object({
  ...originalRef.entries,
  version: v.string(),
  attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
export type ExecutionInput = v.InferOutput<typeof executionInput>;

/** An execution's input with its own name, under which it claims the asset. */
export const claimant = v.object({ ...executionInput.entries, execution: v.string() });
export type Claimant = v.InferOutput<typeof claimant>;

/** Where the original belongs once its record says how it ended; `inbox` leaves it where it is. */
export const destination = v.picklist(['inbox', 'success', 'failure', 'rejected']);
export type Destination = v.InferOutput<typeof destination>;

/** After Record, Keep or Reject, or when Admit found the asset finished: where the original goes. */
export interface Ended {
  readonly destination: Destination;
}

/** What Admit answers. The state machine chooses by `route`. */
export type Admitted = Claimant &
  (
    | { readonly route: 'photo' | 'video'; readonly media: Media }
    | { readonly route: 'unreadable'; readonly media: Media; readonly reason: string }
    | { readonly route: 'finished'; readonly ended: Ended }
  );

/** A photo or video on its way: after Admit. */
export const admitted = v.object({ ...claimant.entries, media });

/** What Render and Poster answer: what they learned of an asset (sizes in pixels of the upright picture), and what they made of it. */
export const rendered = v.object({
  ...v.pick(media, ['width', 'height', 'animated', 'durationMs']).entries,
  takenAt: v.exactOptional(media.entries.takenAt),
  camera: v.exactOptional(media.entries.camera),
  place: v.exactOptional(media.entries.place),
  renditions: v.optional(v.array(rendition), ['thumb', 'preview', 'analysis']),
  /** Why it is kept and not looked at any further, and whether another look would find no more. */
  reason: v.optional(v.string()),
  final: v.exactOptional(v.literal(true)),
});
export type Rendered = v.InferInput<typeof rendered>;

/** An asset's media and renditions as they are known by now. @param made undefined: nothing was made of it yet */
export function knownOf(admitted: Media, made: v.InferOutput<typeof rendered> | undefined): { media: Media; renditions: Rendition[] } {
  if (!made) return { media: admitted, renditions: [] };
  const { renditions, reason: _, final: __, ...learned } = made;
  return { media: { ...admitted, ...learned }, renditions };
}

/** What a detector found: the key of its full result in the output bucket, and a few words for the execution's history. */
export const detected = v.object({ key: v.string(), summary: v.pipe(v.string(), v.maxLength(1024)) });

/** What a detector came to. Not `known`: it is switched off, or it failed for this picture and always will. */
const found = v.variant('known', [v.object({ known: v.literal(true), ...detected.entries }), v.object({ known: v.literal(false) })]);
export const labelsFound = found;
export type LabelsFound = v.InferOutput<typeof labelsFound>;

export const textFound = found;
export type TextFound = v.InferOutput<typeof textFound>;
export const moderationFound = found;
export type ModerationFound = v.InferOutput<typeof moderationFound>;

/** Not `known`, for faces: also that there are too many or the detector failed. Then there is no safe share. */
export const facesFound = found;
export type FacesFound = v.InferOutput<typeof facesFound>;

/** What Categorise answers. */
export const judged = v.object({ category: v.picklist(['success', 'failure']), matches: v.array(match) });
export type Judged = v.InferOutput<typeof judged>;

/** Why a state failed, as Step Functions hands it to the state that catches it. */
export const caught = v.object({ Error: v.string(), Cause: v.optional(v.string(), '') });
export type Caught = v.InferOutput<typeof caught>;

const lambdaError = v.object({ errorMessage: v.string() });

/** The sentence in an error as Step Functions hands it on. Lambda wraps what a function threw in JSON. */
export function reasonOf({ Error: name, Cause }: Caught): string {
  try {
    return v.parse(lambdaError, JSON.parse(Cause)).errorMessage;
  } catch {
    // Not Lambda's JSON: the text itself, as of Step Functions' own errors.
    return Cause || name;
  }
}

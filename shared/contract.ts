import * as v from 'valibot';
import { assetId, assetRecord, type PictureName, pictures } from './model/asset.ts';
import { ignoredGlobs } from './model/ignored.ts';
import { fileState, fileStateKinds } from './model/localFile.ts';
import { rule, ruleDraft, ruleId } from './model/rule.ts';
import { method } from './rpc.ts';

/**
 * Everything the UI and the CLI may ask of the agent, and every event the agent pushes. The only list there is.
 * To add a call: declare it here, implement it in desktop/agent/handlers, use it through the client.
 * Pages are asked for with the `cursor` that the page before answered as `next`; null is the first page and the end.
 */

const nothing = v.object({});
const page = { cursor: v.nullable(v.string()), limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)), 100) };
const paged = <S extends v.GenericSchema>(item: S) => v.object({ items: v.array(item), next: v.nullable(v.string()) });

/** One found asset, as the grid needs it. `name` is a local file's name, else the one the record holds. Sizes in pixels. */
export const hit = v.object({
  asset: assetId,
  kind: v.picklist(['photo', 'video']),
  name: v.string(),
  takenAt: v.nullable(v.string()),
  width: v.nullable(v.number()),
  height: v.nullable(v.number()),
  /** Of a video, in milliseconds; null for a photo, and when it is not known. */
  durationMs: v.nullable(v.number()),
  hasThumb: v.boolean(),
  isAlert: v.boolean(),
});
export type Hit = v.InferOutput<typeof hit>;

export const localFile = v.object({
  /** Absolute path. Bytes that are no valid UTF-8 are shown as U+FFFD. */
  path: v.string(),
  asset: v.nullable(assetId),
  bytes: v.number(),
  state: fileState,
});
export type LocalFile = v.InferOutput<typeof localFile>;

export const assetDetail = v.object({
  asset: assetId,
  /** Null until the cloud's answer is here. */
  record: v.nullable(assetRecord),
  files: v.array(localFile),
});
export type AssetDetail = v.InferOutput<typeof assetDetail>;

export const watchedFolder = v.object({
  id: v.number(),
  path: v.string(),
  files: v.number(),
  /** Globs of what is left out: model/ignored.ts. */
  ignored: v.array(v.string()),
  /** Null when all is well; else why the folder cannot be read or watched fully, and what to do. */
  problem: v.nullable(v.string()),
});
export type WatchedFolder = v.InferOutput<typeof watchedFolder>;

export const alert = v.object({
  asset: assetId,
  rule: ruleId,
  ruleName: v.string(),
  because: v.string(),
  fileName: v.string(),
  at: v.string(),
  seen: v.boolean(),
});
export type Alert = v.InferOutput<typeof alert>;

export const status = v.object({
  /** Why the cloud cannot be reached right now; null when it can. */
  offline: v.nullable(v.string()),
  paused: v.boolean(),
  /** What keeps Pixwatch from going on although it is not paused (disk full, …), as a whole sentence; null otherwise. */
  problem: v.nullable(v.string()),
  /** What has happened that a person should know although work goes on, as a whole sentence; null: nothing. */
  notice: v.nullable(v.string()),
  /** Whether the backend costs anything, and what waits is approved: `approveCosts`. Nothing is sent while it is unknown or unapproved. */
  costs: v.picklist(['unknown', 'free', 'approved', 'unapproved']),
  scanning: v.boolean(),
  assets: v.number(),
  files: v.record(v.picklist(fileStateKinds), v.number()),
  /** The present burst of work: since the queue was last empty. Zeros when idle. */
  progress: v.object({
    filesDone: v.number(),
    filesTotal: v.number(),
    bytesSent: v.number(),
    bytesTotal: v.number(),
    bytesPerSecond: v.number(),
    /** Null while there is too little to tell. */
    secondsLeft: v.nullable(v.number()),
  }),
  unseenAlerts: v.number(),
});
export type Status = v.InferOutput<typeof status>;

const costLine = v.object({ service: v.string(), usd: v.number() });
const sumOfCosts = v.object({ usd: v.number(), lines: v.array(costLine) });

/** What the backend costs. Amounts are US dollars, without tax and free tiers. */
export const costs = v.object({
  /** Null: it costs nothing, and nothing has to be approved. */
  paid: v.nullable(
    v.object({
      /** For what waits to be sent: `once`. For the library with it: `monthly`. `isGuess`: the region's own prices are not known. */
      forecast: v.object({
        photos: v.number(),
        videos: v.number(),
        /** Of video that Rekognition is paid for, guessed from the files' sizes; null when labels are not looked for in videos. */
        videoMinutes: v.nullable(v.number()),
        once: sumOfCosts,
        monthly: sumOfCosts,
        priceDate: v.string(),
        isGuess: v.boolean(),
      }),
      /** Whether that may be sent. */
      approved: v.boolean(),
      /** What Rekognition has cost in `month` (UTC), and may cost; null: there is no cap. */
      spent: v.number(),
      cap: v.nullable(v.number()),
      month: v.string(),
      /** Files that wait for budget. */
      waiting: v.number(),
    }),
  ),
});
export type Costs = v.InferOutput<typeof costs>;

/** How many videos were only stored, and what it costs to look at them. */
export const keptVideos = v.object({ videos: v.number(), videoMinutes: v.nullable(v.number()), usd: v.nullable(v.number()) });
export type KeptVideos = v.InferOutput<typeof keptVideos>;

/** One step of "what happened to this file": a state the cloud's pipeline entered or left. */
export const historyEntry = v.object({
  at: v.string(),
  step: v.string(),
  what: v.picklist(['entered', 'succeeded', 'failed', 'retried']),
  detail: v.nullable(v.string()),
});
export type HistoryEntry = v.InferOutput<typeof historyEntry>;

/** The rules that a subscriber is told about; null: all of them. SNS takes up to 150 values in a filter. */
const subscribedRules = v.optional(v.nullable(v.pipe(v.array(ruleId), v.minLength(1), v.maxLength(100))), null);

/**
 * An original in the cloud. Only `stored` can be fetched; what is `archived` must be asked for, which takes hours (`restoring`).
 * `key` in the input bucket.
 */
export const storedOriginal = v.variant('kind', [
  v.object({ kind: v.literal('stored'), key: v.string() }),
  v.object({ kind: v.literal('archived'), key: v.string() }),
  v.object({ kind: v.literal('restoring'), key: v.string() }),
  v.object({ kind: v.literal('missing') }),
]);
export type StoredOriginal = v.InferOutput<typeof storedOriginal>;

/** Where alerts by SNS go. `pending` until the receiver has confirmed. */
export const subscription = v.object({
  arn: v.string(),
  protocol: v.picklist(['email', 'sms']),
  endpoint: v.string(),
  rules: subscribedRules,
  pending: v.boolean(),
});
export type Subscription = v.InferOutput<typeof subscription>;
export const subscriptionDraft = v.variant('protocol', [
  v.object({
    protocol: v.literal('email'),
    endpoint: v.pipe(v.string(), v.trim(), v.email('is no e-mail address')),
    rules: subscribedRules,
  }),
  v.object({
    protocol: v.literal('sms'),
    endpoint: v.pipe(v.string(), v.trim(), v.regex(/^\+[1-9]\d{6,14}$/, 'must be a phone number like +491701234567')),
    rules: subscribedRules,
  }),
]);
export type SubscriptionDraft = v.InferOutput<typeof subscriptionDraft>;

export const agentMethods = {
  /** `folders`: counts the files of these watched folders alone, by id. */
  status: method(v.object({ folders: v.optional(v.array(v.number())) }), status),

  /** `problem` says what of the query could not be understood; the hits are those of the rest. */
  search: method(
    v.object({ text: v.pipe(v.string(), v.maxLength(1000)), ...page }),
    v.object({ items: v.array(hit), next: v.nullable(v.string()), total: v.number(), problem: v.nullable(v.string()) }),
  ),
  /** Labels of the library that begin with `prefix`, most frequent first; all when it is empty. */
  complete: method(
    v.object({ prefix: v.pipe(v.string(), v.maxLength(128)), limit: v.optional(v.pipe(v.number(), v.integer(), v.maxValue(500)), 20) }),
    v.array(v.object({ label: v.string(), count: v.number() })),
  ),
  asset: method(v.object({ asset: assetId }), assetDetail),
  history: method(v.object({ asset: assetId }), v.array(historyEntry)),
  /**
   * The path of a local copy of a rendition or grid, fetched when it is not there yet; for the hosts, which serve it to the page. Only what `isLasting` may
   * be shown again without asking: another record of the asset may have found a face that this copy shows.
   */
  media: method(
    v.object({ asset: assetId, rendition: v.picklist(Object.keys(pictures) as PictureName[]) }),
    v.object({ path: v.string(), type: v.string(), isLasting: v.boolean() }),
  ),

  /** Where the original is in the cloud. */
  original: method(v.object({ asset: assetId }), storedOriginal),
  /** Asks the archive for an original; does nothing when it can be fetched, or was asked for. */
  restoreOriginal: method(v.object({ asset: assetId }), storedOriginal),
  /** Saves a copy of the original as a new file in `folder`, in the person's downloads when null. */
  saveOriginal: method(v.object({ asset: assetId, folder: v.nullable(v.string()) }), v.object({ path: v.string() })),

  /** Files of watched folders, those in one of `kinds` (all when empty), latest change of state first. */
  files: method(v.object({ kinds: v.array(v.picklist(fileStateKinds)), ...page }), paged(localFile)),
  /** Tries a failed file again, or all of them with null. */
  retry: method(v.object({ path: v.nullable(v.string()) }), nothing),
  pause: method(nothing, nothing),
  resume: method(nothing, nothing),

  costs: method(nothing, costs),
  /** Lets what waits be sent, and what comes later as long as it does not cost far more. */
  approveCosts: method(nothing, nothing),
  /**
   * Kept videos in which another look may find more: those stored by earlier versions, while looking for labels in videos was off, or without a decoder.
   * What that would cost at most, in US dollars; null: this backend costs nothing. Minutes as in `costs`.
   */
  keptVideos: method(nothing, keptVideos),
  /** Has them looked at, each as soon as there is budget for it. */
  lookAtKept: method(nothing, v.object({ asked: v.number() })),
  /** Asks the cloud to take up what waits for budget, as far as there is any. */
  resumeWaiting: method(nothing, v.object({ resumed: v.number() })),

  folders: method(nothing, v.array(watchedFolder)),
  /** `ignored`: when absent, nothing is left out of a new folder, and what was of one that is watched already. */
  addFolder: method(v.object({ path: v.pipe(v.string(), v.minLength(1)), ignored: v.optional(ignoredGlobs) }), watchedFolder),
  /** Leaves out what fits these globs from now on, and nothing else. What is uploaded stays in the library. */
  ignoreInFolder: method(v.object({ id: v.number(), ignored: ignoredGlobs }), nothing),
  /** Stops watching. Nothing is removed: neither files, nor what was uploaded, nor its labels. */
  removeFolder: method(v.object({ id: v.number() }), nothing),

  rules: method(nothing, v.array(rule)),
  /** `id` null makes a new rule. */
  saveRule: method(v.object({ id: v.nullable(ruleId), draft: ruleDraft }), rule),
  deleteRule: method(v.object({ id: ruleId }), nothing),
  /** What a rule would have matched in the library: how many, and the newest few. */
  dryRun: method(v.object({ draft: ruleDraft }), v.object({ count: v.number(), newest: v.array(hit) })),

  alerts: method(v.object({ ...page }), paged(alert)),
  markAlertsSeen: method(nothing, nothing),
  subscriptions: method(nothing, v.array(subscription)),
  subscribe: method(subscriptionDraft, nothing),
  unsubscribe: method(v.object({ arn: v.string() }), nothing),
};

/** How the backend on AWS lets the desktop in: as a user who signs in, or by a profile of the AWS command line. */
export const accessWay = v.variant('kind', [
  v.object({ kind: v.literal('user'), user: v.string() }),
  v.object({ kind: v.literal('profile'), profile: v.string() }),
]);

export type AccessWay = v.InferOutput<typeof accessWay>;

export const backendStatus = v.object({
  inUse: v.picklist(['thisComputer', 'aws']),
  /** False as long as nobody has chosen: this computer is only where one begins. */
  isChosen: v.boolean(),
  /** The backend on AWS that is in use, or was used last. */
  aws: v.nullable(
    v.object({
      name: v.string(),
      region: v.string(),
      as: accessWay,
      /** False when the sign-in is over: then nothing is sent or fetched until somebody signs in again. */
      isSignedIn: v.boolean(),
      /** False where the system has no keychain: then one signs in again after each start. */
      isKept: v.boolean(),
    }),
  ),
});
export type BackendStatus = v.InferOutput<typeof backendStatus>;

const secretWord = v.pipe(v.string(), v.minLength(1, 'is empty'), v.maxLength(256, 'is too long'));
/** Never logged, never kept. `newPassword` null: none was asked for yet. */
export const signInWords = v.object({
  user: v.pipe(v.string(), v.trim(), v.minLength(1, 'is empty'), v.maxLength(128, 'is too long')),
  password: secretWord,
  newPassword: v.nullable(secretWord),
});

/** `newPasswordNeeded`: the password is right, but a first one that the user has to replace. The same again with `newPassword` does that. */
const signInAnswer = v.object({ kind: v.picklist(['signedIn', 'newPasswordNeeded']) });

/**
 * Which backend works for this data folder. Each has its own index, made as a copy when it is first used; changing ends the agent on the one and
 * starts it on the other, while calls wait.
 */
export const backendMethods = {
  backend: method(nothing, backendStatus),
  chooseThisComputer: method(nothing, nothing),
  /** Goes back to the backend on AWS that was used last. */
  chooseAws: method(nothing, nothing),
  /** Signs in to the backend of a connection file and changes to it. @param text the file's content */
  connect: method(v.object({ text: v.pipe(v.string(), v.maxLength(1 << 16)), words: signInWords }), signInAnswer),
  /** Changes to the backend of a connection file by an AWS profile. */
  connectByProfile: method(
    v.object({
      text: v.pipe(v.string(), v.maxLength(1 << 16)),
      profile: v.pipe(v.string(), v.trim(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.@/+=,:-]{0,63}$/, 'is no name of a profile')),
    }),
    nothing,
  ),
  /** Signs in again to the backend on AWS. */
  signIn: method(signInWords, signInAnswer),
  signOut: method(nothing, nothing),
};

/** All that the page and the command line may ask. */
export const appMethods = { ...agentMethods, ...backendMethods };

/** What the desktop shell can do beyond the agent; a page in a browser has none of it. */
export const hostMethods = {
  /** Shows the system's folder dialog; null when it was cancelled. */
  chooseFolder: method(nothing, v.nullable(v.string())),
  /** Shows a local file of an asset in the system's file manager. */
  showFile: method(v.object({ path: v.string() }), nothing),
};

/** Pushed by the desktop shell: a person clicked a notification, so the page shows that asset. */
export const hostEvent = v.variant('kind', [v.object({ kind: v.literal('openAsset'), asset: assetId })]);
export type HostEvent = v.InferOutput<typeof hostEvent>;

/** Pushed by the agent. `alertRaised` and `statusChanged` bring what is new, the others only say to ask again. They are sent at most a few times a second. */
export const agentEvent = v.variant('kind', [
  v.object({ kind: v.literal('statusChanged'), status }),
  v.object({ kind: v.literal('libraryChanged') }),
  v.object({ kind: v.literal('foldersChanged') }),
  v.object({ kind: v.literal('rulesChanged') }),
  v.object({ kind: v.literal('alertRaised'), alert }),
  /** Another backend, or how one is signed in there. Comes from the host. */
  v.object({ kind: v.literal('backendChanged') }),
]);
export type AgentEvent = v.InferOutput<typeof agentEvent>;

import type { HistoryEntry } from '../../shared/contract.ts';
import { assertNever } from '../../shared/errors.ts';
import { videoBytesAMinute } from '../../shared/forecast.ts';
import type { FileStateKind } from '../../shared/model/localFile.ts';
import type { Condition } from '../../shared/model/rule.ts';

/**
 * Every word the page says. A second language is a second object of this shape.
 * Counts go through `count`, so that a language can have its own plurals.
 */
const count = (n: number, one: string, many: string) => `${n.toLocaleString(locale)} ${n === 1 ? one : many}`;

/** For dates and numbers too. */
export const locale = 'en-GB';

const fileStates: Record<FileStateKind, string> = {
  settling: 'Still being written',
  queued: 'Waiting to be sent',
  uploading: 'Being sent',
  analysing: 'Being looked at',
  searchable: 'Searchable',
  kept: 'Stored, not analysed yet',
  waiting: 'Stored, waits for budget',
  rejected: 'Could not be processed',
  failed: 'Gave up',
  skipped: 'Left out',
  unreachable: 'Cannot be read now',
};

/** By the names of the pipeline's states. */
const steps: Record<string, string> = {
  Admit: 'Taken in and checked',
  Keep: 'Kept for later',
  Render: 'Smaller pictures made',
  Poster: 'Still of the video made',
  VideoLabels: 'Looked for things in the video',
  DetectLabels: 'Looked for things',
  DetectFaces: 'Looked for faces',
  Pixelate: 'Faces pixelated',
  LabelsUnknown: 'Looking for labels given up',
  FacesUnknown: 'Looking for faces given up',
  DetectText: 'Looked for text',
  TextUnknown: 'Looking for text given up',
  DetectModeration: 'Looked for unsuitable content',
  ModerationUnknown: 'Looking for unsuitable content given up',
  Categorise: 'Rules checked',
  Record: 'Result written',
  Reject: 'Set aside',
  Park: 'Waits for budget',
  File: 'Original filed',
  Announce: 'Alerts sent',
  Execution: 'The whole run',
};

const stepResults: Record<HistoryEntry['what'], string> = {
  entered: 'started',
  succeeded: 'done',
  failed: 'failed',
  retried: 'tried again',
};

const inDollars = (usd: number) => usd.toLocaleString(locale, { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol' });

const hour = (of: number) => `${of}:00`;

/** A rule's condition in words. */
function conditionText(condition: Condition): string {
  const sure = (percent: number) => `at least ${percent} % sure`;
  switch (condition.kind) {
    case 'label': {
      const { label, minCount, minConfidence } = condition;
      return `${minCount === undefined ? label : `${minCount} or more × ${label}`}, ${sure(minConfidence)}`;
    }
    case 'text':
      return `Text “${condition.text}”`;
    case 'moderation':
      return `Flagged as ${condition.label ?? 'anything'}, ${sure(condition.minConfidence)}`;
    case 'place':
      return `Within ${condition.withinKm} km of ${condition.latitude}, ${condition.longitude}`;
    case 'taken':
      return [`Taken`, condition.from && `from ${condition.from}`, condition.to && `until ${condition.to}`].filter(Boolean).join(' ');
    case 'hours':
      return `Taken between ${hour(condition.from)} and ${hour(condition.until)}`;
    case 'all':
      return condition.conditions.map(conditionText).join(' · ');
    default:
      return assertNever(condition);
  }
}

export const messages = {
  appName: 'Pixwatch',
  views: {
    library: 'Library',
    activity: 'Activity',
    folders: 'Folders',
    rules: 'Rules',
    alerts: 'Alerts',
    costs: 'Costs',
    backend: 'Backend',
  },
  pageTitle: (view: string) => `${view} – Pixwatch`,
  navigation: 'Main',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  remove: 'Remove',
  add: 'Add',
  edit: 'Edit',
  tryAgain: 'Try again',
  loading: 'Loading…',
  photos: (n: number) => count(n, 'photo', 'photos'),
  found: (n: number, what: 'photos' | 'videos' | 'both') =>
    ({ photos: count(n, 'photo', 'photos'), videos: count(n, 'video', 'videos'), both: `${n.toLocaleString(locale)} photos and videos` })[
      what
    ],
  files: (n: number) => count(n, 'file', 'files'),

  connection: {
    connecting: 'Connecting to Pixwatch…',
    lost: 'Connection to Pixwatch lost. What you see may be out of date. Trying again…',
    refusedTitle: 'This link is no longer valid',
    refused: 'Pixwatch makes a new link at every start. Open the one that it printed last in the terminal.',
  },

  status: {
    offline: (why: string) => `Working offline: ${why}`,
    upToDate: 'Up to date',
    paused: 'Paused',
    scanning: 'Looking for photos…',
    left: (n: number) => `${count(n, 'file', 'files')} to go`,
    lostShort: 'Not connected',
    offlineShort: 'Offline',
    problemShort: 'Something is wrong',
    progress: 'Progress',
  },

  search: {
    label: 'Search your photos',
    placeholder: 'Search: dog, beach, label:car>=90…',
    clear: 'Clear the search',
    help: 'Search tips',
    searching: 'Searching…',
    suggestions: 'Suggestions',
    common: 'Most frequent labels',
    tips: [
      { example: 'dog', meaning: 'a label, a word in the picture, or part of a file name or folder' },
      { example: 'label:dog>=90', meaning: 'labelled “Dog” with at least 90 % confidence' },
      { example: 'label:"traffic light"', meaning: 'a label of several words' },
      { example: 'dog -label:cat', meaning: 'dogs, but no cats' },
      { example: 'text:"invoice 2024"', meaning: 'with these words in the picture' },
      { example: 'is:alert', meaning: 'photos that raised an alert' },
      { example: 'is:flagged', meaning: 'flagged as unsuitable' },
      { example: 'is:video', meaning: 'videos only' },
      { example: 'after:2024-06', meaning: 'taken in June 2024 or later' },
      { example: 'before:2024', meaning: 'taken before 2024' },
    ],
    nothingTitle: 'No photo matches',
    nothing: 'Try fewer words, or a lower confidence.',
    emptyTitle: 'No photos yet',
    empty: 'Choose a folder. Pixwatch looks at every photo in it and finds what is in the pictures. Your files are never changed.',
    firstTitle: 'Looking at your photos',
    first: 'They appear here one by one as they are done.',
    chooseFolder: 'Add a folder',
  },

  photo: {
    title: 'Photo',
    openPhoto: (name: string, taken: string) => `${name}, ${taken}`,
    noDate: 'no date',
    alert: 'raised an alert',
    video: (duration: string | null) => (duration === null ? 'video' : `video of ${duration}`),
    grid: 'Photos, newest first',
    previous: 'Previous photo',
    next: 'Next photo',
    original: 'Original',
    pixelated: 'Faces pixelated',
    mosaic: 'Mosaic',
    version: 'Version',
    cells: 'Blocks across',
    saveMosaic: 'Save in full size',
    noSafeCopy: 'There is no copy with pixelated faces: faces were not looked for, or that failed.',
    noSafeVideo: 'A still of the video. There is no copy with pixelated faces: faces are looked for in photos only.',
    noPicture: 'There is no picture to show.',
    pictureMissing: 'The picture cannot be loaded right now.',
    labels: 'Labels',
    noLabels: 'Nothing was recognised.',
    labelsUnknown: 'Labels were not looked for, or that failed.',
    showBoxes: 'Point at a line to see where it is.',
    text: 'Text',
    textUnknown: 'Text was not looked for, or that failed.',
    onlyLabels: 'In videos neither text nor faces nor unsuitable content is looked for.',
    seenAt: (times: readonly string[]) => `at ${times.join(', ')}`,
    flagged: 'Flagged as unsuitable',
    faces: (n: number) => count(n, 'face', 'faces'),
    confidence: (percent: string) => `${percent} sure`,
    facts: 'Facts',
    taken: 'Taken',
    camera: 'Camera',
    size: 'Size',
    duration: 'Duration',
    place: 'Place',
    type: 'Type',
    firstFrame: 'first frame of an animation',
    unknown: 'not known',
    where: 'Where it is',
    noFiles: 'Not on this computer any more. Its labels stay searchable.',
    showFile: 'Show in folder',
    inCloud: {
      stored: 'The original is in the cloud.',
      archived: 'The original is in the archive, which gives it back within 3 to 5 hours.',
      restoring: 'The original is on its way out of the archive. That takes 3 to 5 hours.',
      missing: 'The original is not in the cloud either.',
    },
    save: 'Save a copy',
    saving: 'Saving…',
    saved: (path: string) => `Saved as ${path}`,
    restore: 'Get it from the archive',
    history: 'What happened',
    noHistory: 'Nothing is recorded for this photo.',
    waiting: 'Not analysed yet. This page shows the result as soon as it is there.',
    matched: (names: string) => `Matched: ${names}`,
    outcome: {
      kept: (why: string) => why,
      waiting: (why: string) => why,
      rejected: (why: string) => `Could not be processed: ${why} The original is kept.`,
      failed: (why: string) => `Gave up after several tries: ${why}`,
    },
    step: (name: string) => steps[name] ?? name,
    stepResult: (what: HistoryEntry['what']) => stepResults[what],
  },

  activity: {
    idle: 'Everything is up to date',
    idleAttention: (n: number) => `Done, but ${count(n, 'file needs', 'files need')} attention`,
    idlePaused: 'Paused. New photos wait until you resume.',
    analysing: (n: number) => `${n.toLocaleString(locale)} being looked at`,
    bytes: (sent: string, total: string) => `${sent} of ${total} sent`,
    speed: (perSecond: string) => `${perSecond}/s`,
    left: (duration: string) => `${duration} left`,
    pause: 'Pause',
    resume: 'Resume',
    retryAll: 'Try all failed again',
    filter: 'Show files that are',
    groups: { all: 'All', working: 'In progress', attention: 'Need attention', leftOut: 'Not searchable', searchable: 'Searchable' },
    none: 'No file here.',
    state: (kind: FileStateKind) => fileStates[kind],
    searchable: (n: number) => `${count(n, 'photo is', 'photos are')} searchable.`,
  },

  folders: {
    intro: 'Pixwatch watches these folders with all that is inside. It only reads: files are never changed, moved or deleted.',
    path: 'Folder',
    pathHint: '/home/anna/Pictures',
    choose: 'Choose…',
    add: 'Add folder',
    none: 'No folder is watched yet.',
    ignored: (globs: readonly string[]) => `Leaves out ${globs.join(', ')}`,
    leaveOut: 'Leave out…',
    leaveOutTitle: 'What to leave out',
    leaveOutIntro:
      'Files and folders that fit one of these patterns are not sent, and folders not even looked into. What is in your library already stays there.',
    patterns: 'Patterns, one on each line',
    patternsHint: 'raw\n*.tif\n2019/private',
    patternExamples: [
      { example: 'raw', meaning: 'every file and folder of this name' },
      { example: '*.tif', meaning: 'whatever ends like this' },
      { example: '2019/private', meaning: 'this one folder, seen from the watched folder' },
      { example: '2019/**/edit?', meaning: 'edit1, edit2 … anywhere in 2019' },
    ],
    confirmRemove: 'Stop watching? Files, uploaded copies and labels stay.',
    stopWatching: 'Stop watching',
    keep: 'Keep watching',
  },

  rules: {
    intro: 'A rule looks at every new photo and tells you when it matches.',
    new: 'New rule',
    none: 'No rules yet. Make one to be told when, say, a dog is in a new photo.',
    condition: conditionText,
    editTitle: 'Edit rule',
    newTitle: 'New rule',
    when: (index: number) => (index === 0 ? 'When a photo' : 'and'),
    kindLabel: 'Kind of condition',
    kinds: {
      label: 'shows something',
      text: 'has certain words in it',
      moderation: 'is flagged as unsuitable',
      place: 'was taken near a place',
      taken: 'was taken on certain days',
      hours: 'was taken at certain hours',
    },
    addCondition: 'Add another condition',
    label: 'What it shows',
    labelHint: 'Dog',
    count: 'How many',
    atLeast: (n: number) => (n === 0 ? 'any' : `${n} or more`),
    text: 'These words, in this order',
    textHint: 'Invoice 2024',
    flag: 'As what',
    anyFlag: 'anything, or e.g. Explicit',
    latitude: 'Latitude',
    longitude: 'Longitude',
    withinKm: 'Within km',
    taken: { from: 'From', to: 'Until, with that day' },
    hours: { from: 'From', until: 'Until' },
    hour,
    confidence: 'At least this sure',
    name: 'Name of the rule',
    notify: 'Then tell me',
    desktop: 'on this computer',
    sns: 'by e-mail and SMS',
    desktopShort: 'This computer',
    snsShort: 'E-mail and SMS',
    silent: 'No message',
    dryRun: (n: number) =>
      n === 0 ? 'No photo of your library would have matched.' : `Would have matched ${count(n, 'photo', 'photos')}.`,
    dryRunHint: 'Fill this in to see what would have matched.',
    fromNowOn: 'The rule applies to photos that come from now on.',
    confirmDelete: 'Delete this rule?',
    delete: 'Delete',
    keep: 'Keep',
  },

  subscriptions: {
    title: 'E-mail and SMS',
    intro: 'Who is told when a rule with “by e-mail and SMS” matches.',
    note: 'With the cloud on this computer, e-mail leaves through the mail server set up in its folder, and SMS cannot be sent. With AWS, both are sent by Amazon SNS once the receiver has confirmed.',
    none: 'Nobody yet.',
    pending: 'waits to be confirmed',
    protocol: 'Kind',
    protocols: { email: 'E-mail', sms: 'SMS' },
    endpoint: { email: 'E-mail address', sms: 'Phone number' },
    hint: { email: 'anna@example.org', sms: '+491701234567' },
    about: 'About',
    allRules: 'All rules',
    deletedRule: 'a deleted rule',
    onlyAbout: (rules: readonly string[]) => `only about ${rules.join(', ')}`,
    confirmRemove: 'Send no more alerts there?',
    keep: 'Keep',
  },

  backend: {
    intro:
      'A backend looks at your photos and keeps a copy of each. Both do the same work; each has its own index, and changing between them loses nothing.',
    inUse: 'In use',
    changing: 'Changing…',
    thisComputer: 'This computer',
    thisComputerText: 'Costs nothing and needs no account. Photos stay here, and this computer does the work.',
    chooseThisComputer: 'Use this computer',
    aws: 'AWS',
    awsText: 'Your own account does the work and keeps the originals. AWS charges for it.',
    nameAndRegion: (name: string, region: string) => `${name}, in ${region}`,
    byUser: (user: string, signedIn: boolean) => (signedIn ? `Signed in as ${user}` : `Signed out (${user})`),
    byProfile: (profile: string) => `By the AWS profile ${profile}`,
    notKept: 'This computer has no keychain that can be used, so you sign in again after each start.',
    chooseAws: 'Use this backend',
    another: 'Use another connection file',
    signOut: 'Sign out',
    confirmSignOut: 'Sign out? Photos wait here until somebody signs in.',
    staySignedIn: 'Stay signed in',
    file: 'Connection file',
    fileHint: 'The file that deploying the backend wrote. You can also drop it here.',
    paste: 'Or paste its text',
    found: (name: string, region: string) => `Backend ${name} in ${region}. Sign in to use it.`,
    way: 'How to sign in',
    ways: { user: 'User and password', profile: 'AWS profile' },
    user: 'User name or e-mail',
    password: 'Password',
    newPassword: 'New password',
    newPasswordHint: 'The first password was only for this once. Choose your own.',
    signIn: 'Sign in',
    signingIn: 'Signing in…',
    profile: 'Name of the profile',
    profileHint: 'For whoever owns the account: a profile of the AWS command line on this computer.',
    connect: 'Connect',
    hint: 'Photos are looked at on this computer.',
    hintAws: 'Use AWS instead',
    hintStay: 'Stay with this computer',
  },

  costs: {
    unapproved: 'Nothing is sent yet: this cloud costs money.',
    unapprovedShort: 'Waits for your approval',
    see: 'See what it will cost',
    free: 'This cloud costs nothing.',
    startTitle: 'Before anything is sent',
    start: 'Approve and start',
    counting: 'Pixwatch is still looking for photos. The sum grows until it is done.',
    nothing: 'Nothing waits to be sent yet: no photo was found so far.',
    startNote: 'If it would become much more later, Pixwatch asks again.',
    what: (photos: number, videos: number) => {
      const kinds = [photos > 0 && count(photos, 'photo', 'photos'), videos > 0 && count(videos, 'video', 'videos')].filter(Boolean);
      return `${kinds.join(' and ')} ${photos + videos === 1 ? 'waits' : 'wait'} to be sent.`;
    },
    videoMinutes: (n: number | null) =>
      n === null
        ? 'Labels are not looked for in videos: that is switched off in the settings of the deployment. Videos are stored and get a picture.'
        : `Rekognition is paid by the minute of video. ${count(n, 'minute is', 'minutes are')} guessed from the sizes of the files, at ${videoBytesAMinute / 1e6} MB a minute, as phones record; what messengers send is longer for its size.`,
    once: 'Once',
    onceHint: 'to send what waits and have it looked at',
    monthly: 'Each month',
    monthlyHint: 'to keep the whole library and be ready for more',
    dollars: (usd: number) => (usd > 0 && usd < 0.01 ? `under ${inDollars(0.01)}` : inDollars(usd)),
    month: (month: string) =>
      new Date(`${month}-01T00:00:00Z`).toLocaleDateString(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }),
    spent: (spent: string, month: string) => `Rekognition has cost ${spent} in ${month}.`,
    cap: (cap: string) => `The cap is ${cap} a month: before it is passed, photos are stored but not looked at.`,
    noCap: 'There is no cap. It is set in the settings of the deployment.',
    usedOfCap: 'Used of the cap',
    nearCap: (share: string) => `${share} of the cap is used.`,
    waiting: (n: number) => `${count(n, 'file waits', 'files wait')} for budget.`,
    resume: 'Try again now',
    resumed: (n: number) => (n === 0 ? 'There is no budget for them yet.' : `${count(n, 'file is', 'files are')} taken up again.`),
    prices: (date: string) => `A forecast with AWS’s prices of ${date}, in US dollars, without tax and free tiers. The bill may differ.`,
    guess: 'The prices of this region are not known: the dearest known are taken.',
  },

  kept: {
    videos: (n: number) => `${count(n, 'video was', 'videos were')} only stored, and may be looked at now.`,
    ask: 'Look at them…',
    question: (usd: string | null, minutes: number | null) => {
      if (usd === null) return 'It costs nothing here, and takes some seconds each.';
      const looking =
        minutes === null ? 'without labels, which are switched off for videos' : count(minutes, 'minute of video', 'minutes of video');
      return `It costs at most ${usd} (${looking}), counts towards the cap, and waits where there is no budget.`;
    },
    yes: 'Look at them',
    no: 'Leave them',
    asked: (n: number) =>
      n === 0 ? 'None of them can be looked at.' : `${count(n, 'video is', 'videos are')} looked at again, as soon as there is budget.`,
  },

  alerts: {
    none: 'No alerts yet. Rules decide what you are told about.',
    toRules: 'Go to rules',
    markSeen: 'Mark all as seen',
    unseen: 'new',
    line: (because: string, file: string) => `${because} in ${file}`,
    show: 'Show',
    dismiss: 'Dismiss',
  },
} as const;

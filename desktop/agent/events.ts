import type { AgentEvent, Alert, Status } from '../../shared/contract.ts';

/** What may have changed; each is told to listeners at most a few times a second. */
export type Subject = 'status' | 'library' | 'folders' | 'rules';

export interface Events {
  /** @returns the function that ends it */
  onEvent(listener: (event: AgentEvent) => void): () => void;
  changed(...subjects: Subject[]): void;
  alertRaised(alert: Alert): void;
  close(): void;
}

const pauseMs = 250;

/**
 * Gathers what happens within a quarter of a second into one event of each kind. With whatever changed the status is looked at too, and
 * told only when it is another one.
 */
export function createEvents(readStatus: () => Status): Events {
  const listeners = new Set<(event: AgentEvent) => void>();
  const changes = new Set<Subject>();
  /** Raised while nobody listened, as in the moments of a start: told to the first who does. */
  const missed: Alert[] = [];
  let timer: NodeJS.Timeout | null = null;
  let told = '';
  let isClosed = false;

  const tell = (event: AgentEvent) => {
    for (const listener of listeners) listener(event);
  };
  const tellChanges = () => {
    timer = null;
    const subjects = [...changes];
    changes.clear();
    if (subjects.includes('library')) tell({ kind: 'libraryChanged' });
    if (subjects.includes('folders')) tell({ kind: 'foldersChanged' });
    if (subjects.includes('rules')) tell({ kind: 'rulesChanged' });
    const status = readStatus();
    const text = JSON.stringify(status);
    if (text !== told) tell({ kind: 'statusChanged', status });
    told = text;
  };
  return {
    onEvent(listener) {
      listeners.add(listener);
      for (const alert of missed.splice(0)) listener({ kind: 'alertRaised', alert });
      return () => listeners.delete(listener);
    },
    changed(...subjects) {
      for (const subject of subjects) changes.add(subject);
      if (!isClosed) timer ??= setTimeout(tellChanges, pauseMs);
    },
    alertRaised(alert) {
      if (listeners.size === 0) missed.push(alert);
      else tell({ kind: 'alertRaised', alert });
    },
    close() {
      isClosed = true;
      if (timer) clearTimeout(timer);
      listeners.clear();
    },
  };
}

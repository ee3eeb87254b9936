import type { AgentEvent, Alert, Status } from '../../shared/contract.ts';

/** What may have changed; each is told to listeners at most a few times a second. */
export type Subject = 'status' | 'library' | 'folders' | 'rules';

export interface Events {
  /** @returns the function that ends it */
  onEvent(listener: (event: AgentEvent) => void): () => void;
  changed(...subjects: Subject[]): void;
  /** Alerts were written down. */
  alertsRaised(): void;
  close(): void;
}

const pauseMs = 250;

/** Alerts that somebody is to be notified of. */
export interface Alerts {
  /** Those that nobody was told of, in this run or an earlier one. */
  untold(): Alert[];
  markTold(alert: Alert): void;
}

/**
 * Gathers what happens within a quarter of a second into one event of each kind. With whatever changed the status is looked at too, and
 * told only when it is another one. An alert is told at once, or to the first who listens.
 */
export function createEvents(readStatus: () => Status, alerts: Alerts): Events {
  const listeners = new Set<(event: AgentEvent) => void>();
  const changes = new Set<Subject>();
  let timer: NodeJS.Timeout | null = null;
  let told = '';
  let isClosed = false;

  const tell = (event: AgentEvent) => {
    for (const listener of listeners) listener(event);
  };
  const alertsRaised = () => {
    if (listeners.size === 0) return;
    for (const alert of alerts.untold()) {
      tell({ kind: 'alertRaised', alert });
      alerts.markTold(alert);
    }
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
      alertsRaised();
      return () => listeners.delete(listener);
    },
    changed(...subjects) {
      for (const subject of subjects) changes.add(subject);
      if (!isClosed) timer ??= setTimeout(tellChanges, pauseMs);
    },
    alertsRaised,
    close() {
      isClosed = true;
      if (timer) clearTimeout(timer);
      listeners.clear();
    },
  };
}

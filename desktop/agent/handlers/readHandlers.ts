import type { DatabaseSync } from 'node:sqlite';
import type { AssetDetail, agentMethods, Status } from '../../../shared/contract.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { type AssetId, assetRecord } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import type { Handlers } from '../../../shared/rpc.ts';
import { countUnseenAlerts, listAlerts } from '../alerts/alerts.ts';
import { type BytesOf, countFiles, countFilesIn, filesOf, listFiles } from '../db/fileStates.ts';
import { listRules } from '../rules/rules.ts';
import { complete, search } from '../search/search.ts';
import { listFolders } from '../watch/folders.ts';

/** What only a running agent knows. */
export type Live = Pick<Status, 'offline' | 'paused' | 'problem' | 'notice' | 'costs' | 'scanning' | 'progress'> & {
  readonly bytesOf: BytesOf;
};

export type ReadHandlers = Pick<
  Handlers<typeof agentMethods>,
  'status' | 'search' | 'complete' | 'asset' | 'files' | 'folders' | 'rules' | 'alerts'
>;

/** The calls that only read the database. */
export function readHandlers(db: DatabaseSync, live: () => Live): ReadHandlers {
  return {
    status: async ({ folders }) => readStatus(db, live(), folders),
    search: async ({ text, cursor, limit }) => search(db, text, { cursor, limit }),
    complete: async ({ prefix, limit }) => complete(db, prefix, limit),
    asset: async ({ asset }) => readAsset(db, asset, live()),
    files: async ({ kinds, cursor, limit }) => listFiles(db, { kinds, cursor, limit }, live().bytesOf),
    folders: async () => listFolders(db),
    rules: async () => listRules(db),
    alerts: async ({ cursor, limit }) => listAlerts(db, { cursor, limit }),
  };
}

/** @param folders counts the files of these watched folders alone, by id */
export function readStatus(db: DatabaseSync, { bytesOf: _, ...live }: Live, folders?: readonly number[]): Status {
  const assets = db.prepare('SELECT count(*) AS n FROM asset WHERE taken_at IS NOT NULL').get()?.['n'] as number;
  return { ...live, assets, files: folders ? countFilesIn(db, folders) : countFiles(db), unseenAlerts: countUnseenAlerts(db) };
}

function readAsset(db: DatabaseSync, asset: AssetId, { bytesOf }: Live): AssetDetail {
  const row = db.prepare('SELECT n, record FROM asset WHERE id = ?').get(asset);
  if (!row) throw new InvalidInput('The library has no such picture.');
  const record = row['record'] === null ? null : parse(assetRecord, JSON.parse(row['record'] as string), 'stored record');
  return { asset, record, files: filesOf(db, row['n'] as number, bytesOf) };
}

import type { LocalFile } from '../../../shared/contract.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import { useConnection } from '../agent.tsx';
import { useAction } from '../answers.ts';
import { messages } from '../messages.ts';
import { Problem } from '../parts/Problem.tsx';
import { Original } from './Original.tsx';

/** The paths on this computer that hold a photo; when there are none, the way to get it back. */
export function Files({ asset, files }: { asset: AssetId; files: readonly LocalFile[] }) {
  const { host } = useConnection();
  const { run, problem } = useAction();
  return (
    <section>
      <h3>{messages.photo.where}</h3>
      {files.length === 0 && <p className="hint">{messages.photo.noFiles}</p>}
      <ul className="paths">
        {files.map(({ path }) => (
          <li key={path}>
            <span className="path">{path}</span>
            {host && (
              <button type="button" className="link" onClick={() => void run(() => host.showFile({ path }))}>
                {messages.photo.showFile}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Problem text={problem} />
      {files.length === 0 && <Original asset={asset} />}
    </section>
  );
}

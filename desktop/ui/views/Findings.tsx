import { useState } from 'react';
import type { AssetRecord } from '../../../shared/model/asset.ts';
import type { BoundingBox, Face } from '../../../shared/model/label.ts';
import { formatPercent } from '../format.ts';
import { messages } from '../messages.ts';

interface FindingsProps {
  readonly record: AssetRecord;
  /** Which boxes to draw over the picture; none with []. */
  onBoxes(boxes: readonly BoundingBox[]): void;
}

/** One line of what was found, and where. */
interface Finding {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly confidence: number;
  readonly boxes: readonly BoundingBox[];
}

/** What was seen in a photo. Pointing at a line shows where; a click keeps it shown. */
export function Findings({ record: { labels, faces, text, moderation }, onBoxes }: FindingsProps) {
  const [kept, setKept] = useState<Finding | null>(null);
  const seen = [...labels.toSorted((a, b) => b.confidence - a.confidence).map(labelFinding), ...faceFindings(faces ?? [])];
  const lines = (text ?? []).map(({ text: name, confidence, box }, i) => ({ id: `text ${i}`, name, hint: '', confidence, boxes: [box] }));
  // Said once, under the first list of which that is true.
  const canPoint = seen.some(({ boxes }) => boxes.length > 0);
  const pointing = {
    kept,
    onPoint: (finding: Finding | null) => onBoxes((finding ?? kept)?.boxes ?? []),
    onKeep: (finding: Finding) => {
      setKept(kept?.id === finding.id ? null : finding);
      onBoxes(finding.boxes);
    },
  };
  return (
    <>
      <section>
        <h3>{messages.photo.labels}</h3>
        {labels.length === 0 && <p className="hint">{messages.photo.noLabels}</p>}
        <FindingList findings={seen} {...pointing} />
        {canPoint && <p className="hint">{messages.photo.showBoxes}</p>}
        {moderation && moderation.length > 0 && (
          <p className="hint">
            {messages.photo.flagged(moderation.map(({ name, confidence }) => `${name} ${formatPercent(confidence)}`).join(', '))}
          </p>
        )}
      </section>
      {(text === null || lines.length > 0) && (
        <section>
          <h3>{messages.photo.text}</h3>
          {text === null ? <p className="hint">{messages.photo.textUnknown}</p> : <FindingList findings={lines} {...pointing} />}
          {!canPoint && lines.length > 0 && <p className="hint">{messages.photo.showBoxes}</p>}
        </section>
      )}
    </>
  );
}

const labelFinding = ({ name, confidence, parents, instances }: AssetRecord['labels'][number]): Finding => {
  return { id: `label ${name}`, name, hint: parents.join(', '), confidence, boxes: instances.map(({ box }) => box) };
};

function faceFindings(faces: readonly Face[]): Finding[] {
  if (faces.length === 0) return [];
  const surest = Math.max(...faces.map(({ confidence }) => confidence));
  return [{ id: 'faces', name: messages.photo.faces(faces.length), hint: '', confidence: surest, boxes: faces.map(({ box }) => box) }];
}

interface FindingListProps {
  readonly findings: readonly Finding[];
  readonly kept: Finding | null;
  onPoint(finding: Finding | null): void;
  onKeep(finding: Finding): void;
}

function FindingList({ findings, kept, onPoint, onKeep }: FindingListProps) {
  return (
    <ul className="labels">
      {findings.map((finding) => (
        <li key={finding.id}>
          <button
            type="button"
            disabled={finding.boxes.length === 0}
            aria-pressed={kept?.id === finding.id}
            onPointerEnter={() => onPoint(finding)}
            onPointerLeave={() => onPoint(null)}
            onFocus={() => onPoint(finding)}
            onBlur={() => onPoint(null)}
            onClick={() => onKeep(finding)}
          >
            <span className="label-name">{finding.name}</span>
            <span className="hint">{finding.hint}</span>
            <span className="label-percent">{formatPercent(finding.confidence)}</span>
            <meter min={0} max={100} value={finding.confidence} aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}

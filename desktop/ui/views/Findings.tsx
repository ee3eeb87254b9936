import { useState } from 'react';
import type { AssetRecord } from '../../../shared/model/asset.ts';
import type { BoundingBox, Face, Label, ModerationLabel, TextLine } from '../../../shared/model/label.ts';
import { formatPercent, formatTimecode } from '../format.ts';
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
  /** When it is seen in a video, in ms from its beginning. */
  readonly times: readonly number[];
  readonly confidence: number;
  readonly boxes: readonly BoundingBox[];
}

/** What was seen in a photo or video. Pointing at a line shows where; a click keeps it shown. */
export function Findings({ record: { media, labels, faces, text, moderation }, onBoxes }: FindingsProps) {
  const [kept, setKept] = useState<Finding | null>(null);
  const seen = [...(labels ?? []).toSorted((a, b) => b.confidence - a.confidence).map(labelFinding), ...faceFindings(faces ?? [])];
  const lines = (text ?? []).map(textFinding);
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
        {labels === null && <p className="hint">{messages.photo.labelsUnknown}</p>}
        {labels?.length === 0 && <p className="hint">{messages.photo.noLabels}</p>}
        <FindingList findings={seen} {...pointing} />
        {canPoint && <p className="hint">{messages.photo.showBoxes}</p>}
      </section>
      {moderation && moderation.length > 0 && (
        <section>
          <h3>{messages.photo.flagged}</h3>
          <FindingList findings={moderation.map(flagFinding)} {...pointing} />
        </section>
      )}
      {media?.kind === 'video' && <p className="hint">{messages.photo.onlyLabels}</p>}
      {media?.kind !== 'video' && (text === null || lines.length > 0) && (
        <section>
          <h3>{messages.photo.text}</h3>
          {text === null ? <p className="hint">{messages.photo.textUnknown}</p> : <FindingList findings={lines} {...pointing} />}
          {!canPoint && lines.length > 0 && <p className="hint">{messages.photo.showBoxes}</p>}
        </section>
      )}
    </>
  );
}

const labelFinding = ({ name, confidence, parents, instances, times = [] }: Label): Finding => {
  return { id: `label ${name}`, name, hint: parents.join(', '), times, confidence, boxes: instances.map(({ box }) => box) };
};

const textFinding = ({ text, confidence, box }: TextLine, index: number): Finding => {
  return { id: `text ${index}`, name: text, hint: '', times: [], confidence, boxes: [box] };
};

const flagFinding = ({ name, confidence, parents }: ModerationLabel): Finding => {
  return { id: `flag ${name}`, name, hint: parents.join(', '), times: [], confidence, boxes: [] };
};

function faceFindings(faces: readonly Face[]): Finding[] {
  if (faces.length === 0) return [];
  const surest = Math.max(...faces.map(({ confidence }) => confidence));
  const boxes = faces.map(({ box }) => box);
  return [{ id: 'faces', name: messages.photo.faces(faces.length), hint: '', times: [], confidence: surest, boxes }];
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
            {finding.times.length > 0 && <span className="label-times">{messages.photo.seenAt(finding.times.map(formatTimecode))}</span>}
            <meter min={0} max={100} value={finding.confidence} aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}

import { useState } from 'react';
import type { BoundingBox, Face, Label } from '../../../shared/model/label.ts';
import { formatPercent } from '../format.ts';
import { messages } from '../messages.ts';

interface LabelsProps {
  readonly labels: readonly Label[];
  readonly faces: readonly Face[] | null;
  /** Which boxes to draw over the picture; none with []. */
  onBoxes(boxes: readonly BoundingBox[]): void;
}

/** What was seen, surest first. Pointing at a line shows where; a click keeps it shown. */
export function Labels({ labels, faces, onBoxes }: LabelsProps) {
  const [kept, setKept] = useState<string | null>(null);
  const lines = [
    ...labels.toSorted((a, b) => b.confidence - a.confidence).map((label) => ({ ...label, boxes: label.instances.map(({ box }) => box) })),
    ...(faces?.length
      ? [{ name: messages.photo.faces(faces.length), confidence: surest(faces), parents: [], boxes: faces.map(({ box }) => box) }]
      : []),
  ];
  const shownWhenIdle = lines.find(({ name }) => name === kept)?.boxes ?? [];
  return (
    <section>
      <h3>{messages.photo.labels}</h3>
      {labels.length === 0 && <p className="hint">{messages.photo.noLabels}</p>}
      <ul className="labels">
        {lines.map(({ name, confidence, parents, boxes }) => (
          <li key={name}>
            <button
              type="button"
              disabled={boxes.length === 0}
              aria-pressed={kept === name}
              onPointerEnter={() => onBoxes(boxes)}
              onPointerLeave={() => onBoxes(shownWhenIdle)}
              onFocus={() => onBoxes(boxes)}
              onBlur={() => onBoxes(shownWhenIdle)}
              onClick={() => {
                setKept(kept === name ? null : name);
                onBoxes(boxes);
              }}
            >
              <span className="label-name">{name}</span>
              <span className="hint">{parents.join(', ')}</span>
              <span className="label-percent">{formatPercent(confidence)}</span>
              <meter min={0} max={100} value={confidence} aria-hidden="true" />
            </button>
          </li>
        ))}
      </ul>
      {lines.some(({ boxes }) => boxes.length > 0) && <p className="hint">{messages.photo.showBoxes}</p>}
    </section>
  );
}

const surest = (faces: readonly Face[]) => Math.max(...faces.map(({ confidence }) => confidence));

import { useId } from 'react';
import { assertNever } from '../../../shared/errors.ts';
import type { Condition, SingleCondition } from '../../../shared/model/rule.ts';
import { formatPercent } from '../format.ts';
import { messages } from '../messages.ts';
import { Field } from '../parts/Field.tsx';
import { LabelField } from '../parts/LabelField.tsx';

/** What a new condition of each kind begins as. A field that must be filled in is empty: NaN for a number. */
export const emptyConditions: { readonly [K in SingleCondition['kind']]: Extract<SingleCondition, { kind: K }> } = {
  label: { kind: 'label', label: '', minConfidence: 80 },
  text: { kind: 'text', text: '' },
  moderation: { kind: 'moderation', label: null, minConfidence: 80 },
  place: { kind: 'place', latitude: Number.NaN, longitude: Number.NaN, withinKm: 5 },
  taken: { kind: 'taken', from: null, to: null },
  hours: { kind: 'hours', from: 22, until: 6 },
};
const kinds = Object.keys(emptyConditions) as SingleCondition['kind'][];
const maxConditions = 5;

export const singlesOf = (condition: Condition): readonly SingleCondition[] =>
  condition.kind === 'all' ? condition.conditions : [condition];
const together = (singles: readonly SingleCondition[]): Condition => {
  const [first, ...more] = singles;
  return first && more.length === 0 ? first : { kind: 'all', conditions: [...singles] };
};

/** What a rule looks for: one thing, or several that must all be true. */
export function Conditions({ condition, onChange }: { condition: Condition; onChange(condition: Condition): void }) {
  const singles = singlesOf(condition);
  const replace = (index: number, ...by: SingleCondition[]) => onChange(together(singles.toSpliced(index, 1, ...by)));
  return (
    <div className="conditions">
      {singles.map((single, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a condition is nothing but its place in the list
        <fieldset key={index} className="condition">
          <legend>{messages.rules.when(index)}</legend>
          <div className="condition-head">
            <select
              aria-label={messages.rules.kindLabel}
              value={single.kind}
              onChange={({ target }) => replace(index, emptyConditions[target.value as SingleCondition['kind']])}
            >
              {kinds.map((kind) => (
                <option key={kind} value={kind}>
                  {messages.rules.kinds[kind]}
                </option>
              ))}
            </select>
            {singles.length > 1 && (
              <button type="button" className="link" onClick={() => replace(index)}>
                {messages.remove}
              </button>
            )}
          </div>
          <Fields condition={single} onChange={(changed) => replace(index, changed)} />
        </fieldset>
      ))}
      {singles.length < maxConditions && (
        <button type="button" className="link" onClick={() => onChange(together([...singles, emptyConditions.text]))}>
          {messages.rules.addCondition}
        </button>
      )}
    </div>
  );
}

function Fields({ condition, onChange }: { condition: SingleCondition; onChange(condition: SingleCondition): void }) {
  switch (condition.kind) {
    case 'label':
      return <LabelFields condition={condition} onChange={onChange} />;
    case 'text':
      return (
        <Field name={messages.rules.text}>
          <input
            required
            maxLength={200}
            value={condition.text}
            placeholder={messages.rules.textHint}
            onChange={({ target }) => onChange({ ...condition, text: target.value })}
          />
        </Field>
      );
    case 'moderation':
      return (
        <>
          <Field name={messages.rules.flag}>
            <input
              maxLength={128}
              value={condition.label ?? ''}
              placeholder={messages.rules.anyFlag}
              onChange={({ target }) => onChange({ ...condition, label: target.value || null })}
            />
          </Field>
          <Confidence value={condition.minConfidence} onChange={(minConfidence) => onChange({ ...condition, minConfidence })} />
        </>
      );
    case 'place':
      return (
        <div className="form-row">
          {(['latitude', 'longitude', 'withinKm'] as const).map((part) => (
            <NumberField
              key={part}
              {...placeFields[part]}
              value={condition[part]}
              onChange={(value) => onChange({ ...condition, [part]: value })}
            />
          ))}
        </div>
      );
    case 'taken':
      return (
        <div className="form-row">
          {(['from', 'to'] as const).map((side) => (
            <Field key={side} name={messages.rules.taken[side]}>
              <input
                type="date"
                value={condition[side] ?? ''}
                onChange={({ target }) => onChange({ ...condition, [side]: target.value || null })}
              />
            </Field>
          ))}
        </div>
      );
    case 'hours':
      return (
        <div className="form-row">
          {(['from', 'until'] as const).map((side) => (
            <Field key={side} name={messages.rules.hours[side]}>
              <select value={condition[side]} onChange={({ target }) => onChange({ ...condition, [side]: Number(target.value) })}>
                {Array.from({ length: 24 }, (_, hour) => hour + (side === 'until' ? 1 : 0)).map((hour) => (
                  <option key={hour} value={hour}>
                    {messages.rules.hour(hour)}
                  </option>
                ))}
              </select>
            </Field>
          ))}
        </div>
      );
    default:
      return assertNever(condition);
  }
}

type LabelCondition = Extract<SingleCondition, { kind: 'label' }>;

function LabelFields({ condition, onChange }: { condition: LabelCondition; onChange(condition: LabelCondition): void }) {
  const labelId = useId();
  const { minCount, ...rest } = condition;
  return (
    <>
      <div className="form-row">
        <div className="field">
          <label className="field-name" htmlFor={labelId}>
            {messages.rules.label}
          </label>
          <LabelField id={labelId} value={condition.label} onChange={(label) => onChange({ ...condition, label })} />
        </div>
        <Field name={messages.rules.count} className="field-short">
          <select
            value={minCount ?? 0}
            onChange={({ target }) => onChange(target.value === '0' ? rest : { ...rest, minCount: Number(target.value) })}
          >
            {[0, 1, 2, 3, 4, 5, 10, 20].map((count) => (
              <option key={count} value={count}>
                {messages.rules.atLeast(count)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <Confidence value={condition.minConfidence} onChange={(minConfidence) => onChange({ ...condition, minConfidence })} />
    </>
  );
}

function Confidence({ value, onChange }: { value: number; onChange(value: number): void }) {
  return (
    <label className="field">
      <span className="field-name">
        {messages.rules.confidence}: <output>{formatPercent(value)}</output>
      </span>
      <input type="range" min={0} max={100} step={1} value={value} onChange={({ target }) => onChange(target.valueAsNumber)} />
    </label>
  );
}

const placeFields = {
  latitude: { name: messages.rules.latitude, min: -90, max: 90, hint: '48.1374' },
  longitude: { name: messages.rules.longitude, min: -180, max: 180, hint: '11.5755' },
  withinKm: { name: messages.rules.withinKm, min: 0.01, max: 20_000, hint: '5' },
} as const;

interface NumberFieldProps {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly hint: string;
  readonly value: number;
  onChange(value: number): void;
}

function NumberField({ name, min, max, hint, value, onChange }: NumberFieldProps) {
  return (
    <Field name={name} className="field-short">
      <input
        type="number"
        required
        step="any"
        min={min}
        max={max}
        placeholder={hint}
        defaultValue={Number.isNaN(value) ? '' : value}
        onChange={({ target }) => onChange(target.valueAsNumber)}
      />
    </Field>
  );
}

import { Icon } from '../icons.tsx';

/** Why something a person asked for did not work; nothing when it did. */
export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert">
      {text !== null && (
        <p className="problem">
          <Icon name="warning" />
          {text}
        </p>
      )}
    </div>
  );
}

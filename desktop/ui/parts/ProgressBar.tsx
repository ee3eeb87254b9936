import { useConnection } from '../agent.tsx';
import { messages } from '../messages.ts';

/** How much of the present work is done. */
export function ProgressBar() {
  const { burst } = useConnection();
  return <progress aria-label={messages.status.progress} value={burst.share} max={1} />;
}

import { useEffect, useRef } from 'react';

interface MoreBelowProps {
  readonly shown: number;
  readonly hasMore: boolean;
  loadTo(count: number): void;
}

const pageSize = 100;

/** Stands at the end of a list and has the next page read when it comes near the visible part. */
export function MoreBelow({ shown, hasMore, loadTo }: MoreBelowProps) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!end.current || !hasMore) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && loadTo(shown + pageSize), { rootMargin: '800px' });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [shown, hasMore, loadTo]);
  return <div ref={end} />;
}

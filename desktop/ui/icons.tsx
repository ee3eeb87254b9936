const paths = {
  library: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.500h.01',
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  folders: 'M3 6h6l2 2h10v11H3z',
  rules: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  alerts: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  backend: 'M7 18a4 4 0 0 1-.5-8 6 6 0 0 1 11.500 1.500A3.300 3.300 0 0 1 17.500 18z',
  costs:
    'M12 3v18M16.500 7.500c-.8-1.500-2.500-2-4.500-2-2.500 0-4.500 1-4.500 3.200 0 4.800 9.500 2 9.500 6.800 0 2.200-2 3.200-5 3.200-2.300 0-4.200-.7-5-2.400',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500 20 20',
  close: 'M6 6l12 12M18 6 6 18',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  help: 'M9 9a3 3 0 1 1 4 2.800c-.7.3-1 .8-1 1.700M12 17h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
  video: 'M8 5v14l11-7z',
  pause: 'M8 5v14M16 5v14',
  warning: 'M12 4 2.500 20h19zM12 10v4M12 17h.01',
  missing: 'M4 5h16v14H4zM4 4l16 16',
} as const;
export type IconName = keyof typeof paths;

/** A line icon in the colour of the text around it; decoration only, so a label must stand beside it. */
export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

import { areaOf, asRatios, type Box, overlap, type Size, sharedArea, withoutRepeats } from './boxes.ts';
import { type Candidate, type FaceModel, faceModelSide, type Landmarks, loadFaceModel, type Point } from './faceModel.ts';
import { cut, type Pixels } from './pixels.ts';

/** A face from the brows to the chin, as the model draws it; all in ratios of the picture. */
export interface SeenFace extends Landmarks {
  readonly box: Box;
  /** 0–1. */
  readonly score: number;
  /** Degrees by which the head leans to the viewer's right. */
  readonly roll: number;
}

/*
 * [Note: how faces are found]
 * A bystander's face must not be published, so a face that is missed is worse than one that is not there.
 * The model sees 256 × 256 pixels and finds a face that takes 7 % to 85 % of that width. So the picture is looked at as a whole and in
 * overlapping tiles, down to tiles of 512 pixels: that finds heads of about 25 pixels.
 * To miss none, a low score makes a candidate (0.3: 98 % of faces at 5 % of a tile's width; at 0.6 only 72 %). Each candidate is then looked
 * at again, alone and at three sizes, and is a face when the mean score is 0.6: true faces stay, most others are seen at one size only.
 * Measured on the 22 faces of 6 photos, shrunk and put into pictures of 1920 × 1280; in brackets one look, accepted at 0.75, where it has as
 * few false ones. Widths of the faces in pixels:
 *   149–253: 22 (22) · 74–126: 22 (21) · 37–63: 22 (19) · 24–40: 22 (15) · 18–30: 21 (9)
 * Turned by 20°, 40°, 60° and 90°: 22 each. False ones: 10 in those 30 pictures; 6 in 13 photos without people, one of them on a cat.
 */
const smallestTile = 512;
/** From one size of tile to the next; with the overlap, what is too large for one size is large enough for the next. */
const tileRatio = 3.5;
const tileOverlap = 0.25;
/** In a tile; what is larger is seen by the next size of tile. Most of what the model wrongly sees in skin and cloth is half a tile wide. */
const largestShare = 0.35;
const candidateScore = 0.3;
const faceScore = 0.6;
/** Share of the looked-at square's width that a candidate takes. The first one draws the box. */
const looks = [0.3, 0.15, 0.5];

/** Loads the detector of faces. The function it gives finds the faces in a picture, surest first. */
export async function loadFaces(path: string): Promise<(picture: Pixels) => Promise<SeenFace[]>> {
  const model = await loadFaceModel(path);
  return async (picture) => {
    const found: Candidate[] = [];
    for (const tile of tilesOf(picture)) {
      const seen = await lookAt(model, picture, tile, candidateScore);
      found.push(...seen.filter(({ box }) => tile.isWhole || box.width < tile.edge * largestShare));
    }
    const faces: Candidate[] = [];
    // Until they are confirmed, a wrong one must not take the place of a true one that it only touches.
    for (const candidate of withoutRepeats(found, (one, better) => overlap(one, better) > 0.5)) {
      if (faces.some((face) => isSameFace(candidate.box, face.box))) continue;
      const face = await confirm(model, picture, candidate);
      if (face) faces.push(face);
    }
    return withoutRepeats(faces, isSameFace).map((face) => inRatios(face, picture));
  };
}

/** What lies within a face is hidden with it. What is only partly behind it is a person of its own. */
const isSameFace = (one: Box, face: Box) => overlap(one, face) > 0.3 || sharedArea(one, face) > 0.9 * areaOf(one);

/** A square of `edge` pixels of the picture, cut where the picture ends. */
interface Tile extends Box {
  readonly edge: number;
  readonly isWhole: boolean;
}

/** Tiles that cover the picture, of every size from `smallestTile` to the whole. */
export function tilesOf(picture: Size): Tile[] {
  const longest = Math.max(picture.width, picture.height);
  const steps = Math.max(0, Math.ceil(Math.log(longest / smallestTile) / Math.log(tileRatio)));
  const edges = Array.from({ length: steps }, (_, i) => Math.round(smallestTile * (longest / smallestTile) ** (i / steps)));
  return [...edges, longest].flatMap((edge) => {
    const [width, height] = [Math.min(edge, picture.width), Math.min(edge, picture.height)];
    const tile = { width, height, edge, isWhole: edge === longest };
    return starts(picture.height, edge).flatMap((top) => starts(picture.width, edge).map((left) => ({ left, top, ...tile })));
  });
}

/** Where tiles begin so that they cover `length` evenly. */
function starts(length: number, edge: number): number[] {
  if (length <= edge) return [0];
  const gaps = Math.ceil((length - edge) / (edge * (1 - tileOverlap)));
  return Array.from({ length: gaps + 1 }, (_, i) => Math.round((i * (length - edge)) / gaps));
}

/** What the model sees in a part of the picture, in the picture's pixels. */
async function lookAt(model: FaceModel, picture: Pixels, part: Box, minScore: number): Promise<Candidate[]> {
  const scale = Math.max(part.width, part.height) / faceModelSide;
  const move = ({ x, y }: Point) => ({ x: part.left + x * scale, y: part.top + y * scale });
  const seen = await model(await cut(picture, part, faceModelSide, { keepShape: true }));
  return seen
    .filter(({ score }) => score >= minScore)
    .map(({ box, score, ...landmarks }) => {
      const corner = move({ x: box.left, y: box.top });
      return {
        score,
        box: { left: corner.x, top: corner.y, width: box.width * scale, height: box.height * scale },
        ...moved(landmarks, move),
      };
    });
}

/** Looks at a candidate alone. Null when it is no face. */
async function confirm(model: FaceModel, picture: Pixels, candidate: Candidate): Promise<Candidate | null> {
  let drawn = candidate;
  let total = 0;
  for (const [i, share] of looks.entries()) {
    const around = squareAround(candidate.box, candidate.box.width / share, picture);
    const same = (await lookAt(model, picture, around, 0)).filter(({ box }) => overlap(box, candidate.box) > 0.3);
    const best = same.reduce((a, b) => (b.score > a.score ? b : a), { ...candidate, score: 0 });
    if (i === 0) drawn = best;
    total += best.score;
    const mostPossible = total + (looks.length - 1 - i);
    if (mostPossible < faceScore * looks.length) return null;
  }
  return { ...drawn, score: total / looks.length };
}

/** A square of about `edge` pixels around a box, moved into the picture and cut where that is too small. */
function squareAround({ left, top, width, height }: Box, edge: number, picture: Size): Box {
  const size = Math.max(8, Math.round(edge));
  const start = (middle: number, length: number) => Math.max(0, Math.min(Math.round(middle - size / 2), length - size));
  const x = start(left + width / 2, picture.width);
  const y = start(top + height / 2, picture.height);
  return { left: x, top: y, width: Math.min(size, picture.width - x), height: Math.min(size, picture.height - y) };
}

function inRatios({ box, score, ...landmarks }: Candidate, picture: Size): SeenFace {
  const { eyeLeft, eyeRight } = landmarks;
  const roll = (Math.atan2(eyeRight.y - eyeLeft.y, eyeRight.x - eyeLeft.x) * 180) / Math.PI;
  const ratio = ({ x, y }: Point) => ({ x: x / picture.width, y: y / picture.height });
  return { box: asRatios(box, picture), score, roll, ...moved(landmarks, ratio) };
}

const moved = ({ eyeLeft, eyeRight, nose }: Landmarks, move: (point: Point) => Point): Landmarks => ({
  eyeLeft: move(eyeLeft),
  eyeRight: move(eyeRight),
  nose: move(nose),
});

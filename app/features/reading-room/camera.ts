/** Where the picture lies on the canvas, and how large. */
import { getShouldUseCPURendering, type StackViewport, type Types } from "@cornerstonejs/core";

/** Move the picture by CSS pixels. Cornerstone3D's own way of panning is off when it renders without WebGL. */
export function shift(viewport: StackViewport, x: number, y: number): void {
  if (x === 0 && y === 0) return;
  if (!getShouldUseCPURendering()) {
    viewport.setPan([x, y]);
    return;
  }
  const { clientWidth, clientHeight } = viewport.element;
  viewport.setCamera({ focalPoint: viewport.canvasToWorld([clientWidth / 2 - x, clientHeight / 2 - y]) });
}

/**
 * Lay picture elements exactly on device pixels. The picture's middle falls on the canvas's middle, or half a
 * pixel beside it where one of them has an odd size and the other has not.
 */
export function showActualSize(viewport: StackViewport, image: Types.IImage, rotation: number): void {
  if (getShouldUseCPURendering()) {
    viewport.setZoom(1);
    return;
  }
  const { sWidth: width, sHeight: height } = viewport;
  const onItsSide = Math.round(rotation / 90) % 2 !== 0;
  const aside = halfPixel(width, onItsSide ? image.rows : image.columns);
  const below = halfPixel(height, onItsSide ? image.columns : image.rows);
  const spacing = image.rowPixelSpacing || 1;
  const { viewUp = [0, -1, 0], viewPlaneNormal = [0, 0, -1], focalPoint, position } = viewport.getCamera();
  const right = cross(viewUp, viewPlaneNormal);
  const center: Types.Point3 = [(image.columns - 1) / 2, (image.rows - 1) / 2, 0];
  const middle = viewport.getImageData()?.imageData.indexToWorld?.(center) ?? focalPoint ?? center;
  const focal = [0, 1, 2].map(
    (axis) => (middle[axis] ?? 0) + spacing * (aside * (right[axis] ?? 0) - below * (viewUp[axis] ?? 0)),
  ) as Types.Point3;
  const eye = focal.map((value, axis) => value + (position?.[axis] ?? 0) - (focalPoint?.[axis] ?? 0));
  viewport.setCamera({
    parallelScale: (height * spacing) / 2,
    focalPoint: focal,
    position: eye as Types.Point3,
  });
}

function halfPixel(canvas: number, picture: number): number {
  return (canvas - picture) % 2 === 0 ? 0 : 0.5;
}

function cross([a, b, c]: Types.Point3, [d, e, f]: Types.Point3): Types.Point3 {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

/** Device pixels for one picture element. */
export function deviceScale(viewport: StackViewport, image: Types.IImage): number {
  const { parallelScale } = viewport.getCamera();
  if (getShouldUseCPURendering() || !parallelScale) return viewport.getZoom();
  return (viewport.sHeight * (image.rowPixelSpacing || 1)) / (2 * parallelScale);
}

/** A file that is damaged, or not of a form that can be used; the message says why, and what would help. */
export class ImageError extends Error {
  override name = "ImageError";
}

/** The error of a file that is damaged. */
export function damaged(how: string): ImageError {
  return new ImageError(`it is damaged: ${how}`);
}

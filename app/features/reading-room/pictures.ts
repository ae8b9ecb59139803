/**
 * Decoded pictures of the exam that is open: loaded through Cornerstone3D's wadors loader, kept here and
 * nowhere else, so that one call makes them all go away.
 */
import {
  cache,
  getShouldUseCPURendering,
  imageLoader,
  imageRetrievalPoolManager,
  init as initCore,
  type Types,
} from "@cornerstonejs/core";
import { init as initLoader, wadors } from "@cornerstonejs/dicom-image-loader";
import { type Attribute, number } from "./dicomJson.ts";
import { failureOf, ReadFailure } from "./failures.ts";
import { repair } from "./repairs.ts";
import type { Slice } from "./slices.ts";

/** Bytes of decoded pictures to keep; beyond it the ones used longest ago go first. */
const BUDGET = 768 * 1024 * 1024;

/** Image loading is a singleton in Cornerstone3D; these are the requests of the exam that is open. */
const requests = new Map<string, XMLHttpRequest>();
const tokens = new Map<string, string>();
let prepared = false;

/** Ready Cornerstone3D, once for the page's life. */
export function prepareCornerstone(): void {
  if (prepared) return;
  prepared = true;
  // One viewport needs one WebGL context; browsers allow few.
  initCore({ rendering: { webGlContextCount: 1 }, debug: { statsOverlay: false } });
  initLoader({
    maxWebWorkers: Math.min(4, Math.max(1, (navigator.hardwareConcurrency ?? 2) - 1)),
    strict: false,
    beforeSend: (xhr, imageId): Record<string, string> => {
      const token = tokens.get(imageId);
      if (token === undefined) return {};
      requests.set(imageId, xhr);
      return { Authorization: `Bearer ${token}` };
    },
    // What was aborted while it waited for its turn is not among the requests, and has no other moment to be stopped.
    onloadstart: (event) => {
      const xhr = event.target;
      if (xhr instanceof XMLHttpRequest && ![...requests.values()].includes(xhr)) xhr.abort();
    },
  });
}

/** The pictures of one exam. */
export class Pictures {
  readonly #getToken: () => Promise<string>;
  readonly #images = new Map<string, Types.IImage>();
  readonly #loading = new Map<string, Promise<Types.IImage>>();
  #bytes = 0;
  /** Grows with each purge; what was asked for before it is not let in any more. */
  #epoch = 0;

  constructor(getToken: () => Promise<string>) {
    this.#getToken = getToken;
    prepareCornerstone();
  }

  /** Tell the decoder about pictures that may be asked for. */
  describe(slices: readonly Slice[]): void {
    for (const { imageId, instance } of slices) {
      const attributes = Object.entries(instance).filter((entry): entry is [string, Attribute] => !!entry[1]);
      wadors.metaDataManager.add(imageId, Object.fromEntries(attributes) as never);
    }
  }

  /** Whether the picture is here already. */
  has(imageId: string): boolean {
    return this.#images.has(imageId);
  }

  /** The picture, if it is here already. */
  get(imageId: string): Types.IImage | undefined {
    const image = this.#images.get(imageId);
    if (image) {
      this.#images.delete(imageId);
      this.#images.set(imageId, image);
    }
    return image;
  }

  /** The picture, fetched and decoded if need be. Throws ReadFailure. */
  load(slice: Slice): Promise<Types.IImage> {
    const { imageId } = slice;
    const present = this.get(imageId);
    if (present) return Promise.resolve(present);
    const underway = this.#loading.get(imageId);
    if (underway) return underway;
    const loading = this.#fetch(slice).finally(() => {
      if (this.#loading.get(imageId) === loading) this.#loading.delete(imageId);
    });
    this.#loading.set(imageId, loading);
    return loading;
  }

  /** Abort all that is being loaded; keep what is here. */
  abort(): void {
    this.#epoch += 1;
    this.#loading.clear();
    const underway = [...requests.values()];
    requests.clear();
    tokens.clear();
    imageRetrievalPoolManager.clearRequestStack("interaction");
    for (const xhr of underway) xhr.abort();
  }

  /** Abort all that is being loaded, and forget every picture and what is known of them. */
  purge(): void {
    this.abort();
    this.#images.clear();
    this.#bytes = 0;
    cache.purgeCache();
    wadors.metaDataManager.purge();
  }

  async #fetch({ imageId, instance }: Slice): Promise<Types.IImage> {
    const epoch = this.#epoch;
    const token = await this.#getToken();
    this.#expect(epoch);
    tokens.set(imageId, token);
    try {
      const options = { priority: 0, requestType: "interaction", useRGBA: getShouldUseCPURendering() };
      const image = await imageLoader.loadImage(imageId, options);
      this.#expect(epoch);
      repair(image, instance);
      assertWhole(image, number(instance, "Rows") ?? 0, number(instance, "Columns") ?? 0);
      this.#keep(imageId, image);
      return image;
    } catch (error) {
      this.#expect(epoch);
      throw asFailure(error);
    } finally {
      if (epoch === this.#epoch) {
        requests.delete(imageId);
        tokens.delete(imageId);
      }
    }
  }

  #expect(epoch: number): void {
    if (epoch !== this.#epoch) throw new ReadFailure("aborted", "The picture is not wanted any more.");
  }

  #keep(imageId: string, image: Types.IImage): void {
    this.#images.set(imageId, image);
    this.#bytes += image.sizeInBytes;
    for (const [oldest, { sizeInBytes }] of this.#images) {
      if (this.#bytes <= BUDGET || oldest === imageId) break;
      this.#images.delete(oldest);
      this.#bytes -= sizeInBytes;
    }
  }
}

/** A frame that is cut short decodes without an error into a picture with a piece missing: refuse it. */
function assertWhole(image: Types.IImage, rows: number, columns: number): void {
  const values = image.voxelManager?.getScalarData().length ?? 0;
  const expected = rows * columns;
  const matches = [1, 3, 4].some((components) => values === expected * components);
  if (image.rows !== rows || image.columns !== columns || !matches) {
    throw new ReadFailure("undecodable", "The picture's data is incomplete or damaged.");
  }
}

function asFailure(error: unknown): ReadFailure {
  if (error instanceof ReadFailure) return error;
  if (error instanceof XMLHttpRequest) {
    return error.status === 200
      ? new ReadFailure("undecodable", "The picture's data could not be read.", 200)
      : failureOf(error.status, error.response);
  }
  return new ReadFailure("undecodable", "The picture's data is damaged, or of a kind that cannot be shown.");
}

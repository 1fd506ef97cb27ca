/** Saved machines in the browser's storage, one a slot, with what stood on their screens. */
import type { Slot } from "./protocol.ts";

export interface KeptSave {
  readonly file: Uint8Array;
  readonly screen: Uint8Array;
  readonly guest: string;
  /** Milliseconds since 1970. */
  readonly date: number;
}

const DATABASE = "vmexit-sandbox";
const STORE = "saves";
const VERSION = 1;

/** The browser keeps nothing, or has no room; the message says what it said. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

export function keepSave(slot: Slot, save: KeptSave): Promise<unknown> {
  return inStore("readwrite", store => store.put(save, slot));
}

export async function findSave(slot: Slot): Promise<KeptSave | undefined> {
  return (await inStore("readonly", store => store.get(slot))) as KeptSave | undefined;
}

export function forgetSave(slot: Slot): Promise<unknown> {
  return inStore("readwrite", store => store.delete(slot));
}

async function inStore(
  mode: IDBTransactionMode,
  action: (store: IDBObjectStore) => IDBRequest,
): Promise<unknown> {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = action(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(problem(transaction.error));
    });
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(problem(request.error));
  });
}

function problem(error: DOMException | null): StorageError {
  return new StorageError(`the browser's storage refused: ${error?.message ?? "it gave no reason"}`);
}

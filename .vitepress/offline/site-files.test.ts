import { expect, it } from "vitest";
import { cacheKey, fileOf } from "./site-files.ts";

const SITE = "https://example.org/books/vmexit/";
const FILES = { "index.html": "a", "chapters/05-pit.html": "b", "assets/a%b.js": "c", "zh/index.html": "d" };

it.each([
  ["", "index.html"],
  ["?x=1#top", "index.html"],
  ["zh/", "zh/index.html"],
  ["chapters/05-pit.html", "chapters/05-pit.html"],
  ["chapters/05-pit", "chapters/05-pit.html"],
  ["chapters/05-pit.html?a=b", "chapters/05-pit.html"],
  ["chapters/", undefined],
  ["toString", undefined],
])("“%s” asks for %s", (path, file) => {
  expect(fileOf(SITE, SITE + path, FILES)).toBe(file);
});

it("knows nothing of other sites at the same host", () => {
  expect(fileOf(SITE, "https://example.org/books/index.html", FILES)).toBeUndefined();
  expect(fileOf(SITE, "https://example.com/books/vmexit/", FILES)).toBeUndefined();
});

it("keeps a file by its content", () => {
  expect(cacheKey(SITE, "index.html", "a")).not.toBe(cacheKey(SITE, "index.html", "b"));
});

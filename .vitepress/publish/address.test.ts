import { describe, expect, it } from "vitest";
import { cardOf, pathOf, siteAddress } from "./address.ts";

describe("the site's address", () => {
  it.each([
    [{}, "/", undefined],
    [{ VMEXIT_BASE: "/vmexit/" }, "/vmexit/", undefined],
    [{ VMEXIT_SITE_URL: "https://example.org" }, "/", "https://example.org/"],
    [{ VMEXIT_SITE_URL: "https://example.org/a/b" }, "/a/b/", "https://example.org/a/b/"],
    [{ VMEXIT_SITE_URL: "https://example.org", VMEXIT_BASE: "/b/" }, "/b/", "https://example.org/b/"],
    [{ VMEXIT_SITE_URL: "https://example.org/b/", VMEXIT_BASE: "/b/" }, "/b/", "https://example.org/b/"],
  ])("of %o has the base %s and is %s", (environment, base, url) => {
    expect(siteAddress(environment)).toEqual({ base, url });
  });

  it.each([
    [{ VMEXIT_BASE: "vmexit" }, "must begin and end with a slash"],
    [{ VMEXIT_SITE_URL: "example.org" }, "must be an address such as"],
    [{ VMEXIT_SITE_URL: "ftp://example.org" }, "must be an address such as"],
    [{ VMEXIT_SITE_URL: "https://example.org/a/", VMEXIT_BASE: "/b/" }, "must be the same path"],
  ])("refuses %o", (environment, sentence) => {
    expect(() => siteAddress(environment)).toThrow(sentence);
  });

  it("has a path and a card for each page", () => {
    expect([pathOf("index.md"), pathOf("chapters/05-pit.md"), pathOf("zh/index.md")]).toEqual([
      "",
      "chapters/05-pit.html",
      "zh/",
    ]);
    expect(cardOf("chapters/05-pit.md")).toBe("social/chapters/05-pit.png");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Components from "unplugin-vue-components/vite";
import { defineConfig } from "vitepress";
import { codeThemes } from "./code-theme.ts";
import { chapterPages } from "./content/chapter-pages.ts";
import { countWords, minutesToRead } from "./content/prose.ts";
import { exitLogGrammar } from "./grammars/exit-log.ts";
import { hexdumpGrammar } from "./grammars/hexdump.ts";
import { vcpuDumpGrammar } from "./grammars/vcpu-dump.ts";
import { icedForBrowsers } from "./iced.ts";
import { lineBreaks } from "./markdown/line-breaks.ts";
import { seenInFile } from "./markdown/seen-in-file.ts";
import { sourceBlocks } from "./markdown/source-blocks.ts";
import { tableColumns } from "./markdown/table-columns.ts";
import { typedNames } from "./markdown/typed-names.ts";
import { siteAddress } from "./publish/address.ts";
import { headOf, italicsOf } from "./publish/head.ts";
import { publish } from "./publish/publish.ts";
import { editPattern, repository } from "./repository.ts";
import { solveInPage } from "./solve/plugin.ts";
import { progressRing } from "./solve/progress.ts";

const address = siteAddress(process.env);
const { base } = address;
const description = "Build an x86 hypervisor in TypeScript, one exit at a time.";
const chapters = chapterPages();

interface SidebarPage {
  readonly text: string;
  readonly link: string;
  /** HTML that stands before the text. */
  readonly ring?: string;
}

/** The pages in reading order. */
const sidebar: readonly { readonly text: string; readonly items: readonly SidebarPage[] }[] = [
  {
    text: "Before you start",
    items: [
      { text: "What is a virtual machine?", link: "/what-is-a-virtual-machine" },
      { text: "Set-up and doctor", link: "/setup" },
      { text: "How to use this book", link: "/how-to-use" },
    ],
  },
  {
    text: "Chapters",
    items: chapters.map(({ number, name, title, link, exercises }) => ({
      text: `${number} · ${title}`,
      link,
      ring: progressRing(name, exercises),
    })),
  },
  {
    text: "The sandbox",
    items: [
      { text: "In this page", link: "/sandbox" },
      { text: "On the command line", link: "/sandbox-command-line" },
    ],
  },
  // #region instructors
  {
    text: "For instructors",
    items: [
      { text: "Choose and hand out", link: "/instructors/hand-out" },
      { text: "Syllabus and timetable", link: "/instructors/syllabus" },
      { text: "Grade a class", link: "/instructors/grade" },
      { text: "In your system", link: "/instructors/systems" },
      { text: "What a submission may do", link: "/instructors/isolation" },
      { text: "Who wrote alike", link: "/instructors/similar" },
      { text: "A class on a cluster", link: "/instructors/cluster" },
    ],
  },
  // #endregion instructors
  {
    text: "Beside you",
    items: [
      { text: "Reading the exit log", link: "/reading-the-exit-log" },
      { text: "Troubleshooting", link: "/troubleshooting" },
      { text: "Ports, vectors and memory map", link: "/ports-vectors-memory-map" },
      { text: "Glossary", link: "/glossary" },
      { text: "References", link: "/references" },
    ],
  },
];
/** What a page says of itself, by its markdown file; filled as the pages are read. */
const descriptions = new Map<string, string>();

export default defineConfig({
  title: "vmexit",
  titleTemplate: ":title · vmexit",
  description,
  lang: "en",
  base,
  srcDir: "docs",
  srcExclude: ["outputs/**", "**/README.md"],
  lastUpdated: true,
  ...(address.url && { sitemap: { hostname: address.url } }),
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}logo.svg` }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: light)", content: "#fdfcfa" }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: dark)", content: "#14161a" }],
  ],

  markdown: {
    theme: codeThemes,
    languages: [exitLogGrammar, hexdumpGrammar, vcpuDumpGrammar],
    snippet: { stripRegionMarkers: "all" },
    codeTransformers: [seenInFile(), typedNames()],
    config: md => {
      sourceBlocks(md);
      lineBreaks(md);
      tableColumns(md);
    },
  },

  // A page's script is fetched when it is asked for; offline, all of them are there (service-worker.ts).
  router: { prefetchLinks: false },

  vite: {
    plugins: [
      icedForBrowsers(),
      // A page that names a component imports it, and so loads no figure of another page.
      Components({
        dirs: [join(import.meta.dirname, "components")],
        include: [/\.vue$/, /\.md$/],
        dts: false,
      }),
      solveInPage(),
    ],
    worker: { format: "es", plugins: () => [icedForBrowsers(), solveInPage()] },
  },

  /** The theme shows how long a page takes to read, counted from its prose. */
  transformPageData(page, { siteConfig }) {
    const words = countWords(readFileSync(join(siteConfig.srcDir, page.filePath), "utf8"));
    page.frontmatter["minutes"] ??= minutesToRead(words);
    descriptions.set(page.filePath, page.description || description);
  },

  transformHead: ({ pageData, title, content, assets }) => [
    ...headOf(
      { file: pageData.relativePath, title, description: pageData.description || description },
      address,
    ),
    ...italicsOf(content, assets),
  ],

  async buildEnd({ outDir }) {
    const factsOf = ({ text, link }: { text: string; link: string }) => {
      const file = `${link.slice(1)}.md`;
      return { file, title: text, description: descriptions.get(file) ?? description };
    };
    const home = { file: "index.md", title: "vmexit", description };
    await publish({
      out: outDir,
      address,
      summary: description,
      sections: [
        { title: "The book", pages: [home] },
        ...sidebar.map(({ text, items }) => ({ title: text, pages: items.map(factsOf) })),
      ],
    });
  },

  themeConfig: {
    logo: { src: "/logo.svg", alt: "", width: 24, height: 24 },
    nav: [
      { text: "Start", link: "/what-is-a-virtual-machine", activeMatch: "^/(what-is|setup|how-to)" },
      ...chapters.slice(0, 1).map(({ link }) => ({ text: "Chapters", link, activeMatch: "^/chapters/" })),
      { text: "Sandbox", link: "/sandbox", activeMatch: "^/sandbox" },
      { text: "Glossary", link: "/glossary" },
    ],
    sidebar: sidebar.map(({ text: group, items }) => ({
      text: group,
      items: items.map(({ ring = "", text, link }) => ({
        text: `${ring}${text}`,
        docFooterText: text,
        link,
      })),
    })),
    notFound: {
      title: "Nothing answers at this address",
      quote: "On a bus such a read returns all ones. Here it returns the way home.",
      linkText: "To the start of the book",
      linkLabel: "To the start of the book",
    },
    outline: { level: [2, 3], label: "On this page" },
    search: { provider: "local", options: { detailedView: true } },
    ...(editPattern && { editLink: { pattern: editPattern, text: "Edit this page" } }),
    ...(repository && { socialLinks: [{ icon: "github", link: repository }] }),
    externalLinkIcon: true,
    footer: {
      message: "Code under the MIT licence, book under CC BY 4.0.",
    },
    lastUpdated: { formatOptions: { dateStyle: "long" } },
    docFooter: { prev: "Before", next: "Next" },
  },
});

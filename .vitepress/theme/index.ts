/** The book's theme. Its components are found by their names, see the plugin in config.ts. */
import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { defineAsyncComponent } from "vue";
import { keepForOffline } from "../offline/register.ts";
import BookLayout from "./BookLayout.vue";
import { showTypesOnHover } from "./type-popup.ts";
import "./variables.css";
import "./book.css";
import "./code.css";
import "./figures.css";
import "./figure-controls.css";
import "./print.css";
import "./sandbox.css";
import "./progress.css";
import "./solve.css";
import "./types.css";

export default {
  extends: DefaultTheme,
  Layout: BookLayout,
  enhanceApp({ app, siteData }) {
    // A page names its layout in its frontmatter, where the plugin does not look.
    app.component(
      "HomePage",
      defineAsyncComponent(() => import("../components/HomePage.vue")),
    );
    keepForOffline(siteData.value.base);
    if (!import.meta.env.SSR) showTypesOnHover();
  },
} satisfies Theme;

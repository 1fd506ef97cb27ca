/** The book's theme. Its components are found by their names, see the plugin in config.ts. */
import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { keepForOffline } from "../offline/register.ts";
import BookLayout from "./BookLayout.vue";
import "./variables.css";
import "./book.css";
import "./code.css";
import "./figures.css";

export default {
  extends: DefaultTheme,
  Layout: BookLayout,
  enhanceApp({ siteData }) {
    keepForOffline(siteData.value.base);
  },
} satisfies Theme;

/** The timetable for the book's page; VitePress loads it when the site is built. */
import { defineLoader } from "vitepress";
import { type CourseTimes, courseTimes } from "./course-times.ts";

declare const data: CourseTimes;

export { data };

export default defineLoader({
  watch: ["../../*/chapter.json", "../../../docs/chapters/*.md"],
  load: courseTimes,
});

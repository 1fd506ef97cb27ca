/** The timetable of the whole course, as the book's syllabus page shows it. Read at build time only. */
import { readChapters } from "../chapters.ts";
import { hours, type Section, sectionsOf, topics, weeks } from "./timetable.ts";

export interface Week {
  readonly topics: readonly string[];
  readonly hours: string;
}

export interface CourseTimes {
  readonly six: readonly Week[];
  readonly twelve: readonly Week[];
  readonly sections: readonly { chapter: number; heading: string; reading: number; writing: string }[];
}

export function courseTimes(): CourseTimes {
  const sections = readChapters().flatMap(chapter => sectionsOf(chapter));
  const plan = (count: number) => weeks(sections, count).map(weekOf);
  return {
    six: plan(6),
    twelve: plan(12),
    sections: sections.map(({ chapter, heading, reading, tasks, writing }) => ({
      chapter: chapter.number,
      heading,
      reading,
      writing: tasks.length > 0 ? `${writing} min: ${tasks.map(({ id }) => id).join(", ")}` : "",
    })),
  };
}

function weekOf(sections: readonly Section[]): Week {
  return { topics: topics(sections), hours: hours(sections) };
}

import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import BeforeAfter from "../components/BeforeAfter.vue";
import BitFields from "../components/BitFields.vue";
import ExerciseList from "../components/ExerciseList.vue";
import ExitLoop from "../components/ExitLoop.vue";
import ExitSequence from "../components/ExitSequence.vue";
import HomePage from "../components/HomePage.vue";
import MachineMap from "../components/MachineMap.vue";
import MemorySlots from "../components/MemorySlots.vue";
import Predict from "../components/Predict.vue";
import QemuAndKvm from "../components/QemuAndKvm.vue";
import StackFigure from "../components/StackFigure.vue";
import BookLayout from "./BookLayout.vue";
import "./variables.css";
import "./book.css";
import "./code.css";
import "./figures.css";

const components = {
  BeforeAfter,
  BitFields,
  ExerciseList,
  ExitLoop,
  ExitSequence,
  HomePage,
  MachineMap,
  MemorySlots,
  Predict,
  QemuAndKvm,
  StackFigure,
};

export default {
  extends: DefaultTheme,
  Layout: BookLayout,
  enhanceApp({ app }) {
    for (const [name, component] of Object.entries(components)) app.component(name, component);
  },
} satisfies Theme;

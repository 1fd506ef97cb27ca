import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import AddressSplit from "../components/AddressSplit.vue";
import BeforeAfter from "../components/BeforeAfter.vue";
import BitFields from "../components/BitFields.vue";
import BootMemory from "../components/BootMemory.vue";
import BootParams from "../components/BootParams.vue";
import BootTimeline from "../components/BootTimeline.vue";
import CarryColumns from "../components/CarryColumns.vue";
import CharacterOnLine from "../components/CharacterOnLine.vue";
import ControlWord from "../components/ControlWord.vue";
import CounterModes from "../components/CounterModes.vue";
import CounterScope from "../components/CounterScope.vue";
import DescriptorChain from "../components/DescriptorChain.vue";
import EventIndex from "../components/EventIndex.vue";
import ExerciseList from "../components/ExerciseList.vue";
import ExitLoop from "../components/ExitLoop.vue";
import ExitSequence from "../components/ExitSequence.vue";
import FaultPairs from "../components/FaultPairs.vue";
import FeatureNegotiation from "../components/FeatureNegotiation.vue";
import FifoTimeline from "../components/FifoTimeline.vue";
import HomePage from "../components/HomePage.vue";
import InstructionFields from "../components/InstructionFields.vue";
import InterruptController from "../components/InterruptController.vue";
import InterruptFrame from "../components/InterruptFrame.vue";
import InterruptWindow from "../components/InterruptWindow.vue";
import LoopbackLines from "../components/LoopbackLines.vue";
import Machine from "../components/Machine.vue";
import MachineMap from "../components/MachineMap.vue";
import MemorySlots from "../components/MemorySlots.vue";
import NestedWalk from "../components/NestedWalk.vue";
import NetMachine from "../components/NetMachine.vue";
import OpcodeMap from "../components/OpcodeMap.vue";
import PageWalk from "../components/PageWalk.vue";
import Predict from "../components/Predict.vue";
import PulseGroup from "../components/PulseGroup.vue";
import QemuAndKvm from "../components/QemuAndKvm.vue";
import InterruptLines from "../components/reference/InterruptLines.vue";
import PhysicalMemory from "../components/reference/PhysicalMemory.vue";
import PortMap from "../components/reference/PortMap.vue";
import VectorTable from "../components/reference/VectorTable.vue";
import SegmentOffset from "../components/SegmentOffset.vue";
import StackFigure from "../components/StackFigure.vue";
import UartInterrupts from "../components/UartInterrupts.vue";
import { keepForOffline } from "../offline/register.ts";
import BookLayout from "./BookLayout.vue";
import "./variables.css";
import "./book.css";
import "./code.css";
import "./figures.css";

const components = {
  AddressSplit,
  BeforeAfter,
  BitFields,
  BootMemory,
  BootParams,
  BootTimeline,
  CarryColumns,
  CharacterOnLine,
  ControlWord,
  CounterModes,
  CounterScope,
  DescriptorChain,
  EventIndex,
  ExerciseList,
  ExitLoop,
  ExitSequence,
  FaultPairs,
  FeatureNegotiation,
  FifoTimeline,
  HomePage,
  InstructionFields,
  InterruptController,
  InterruptFrame,
  InterruptWindow,
  LoopbackLines,
  Machine,
  MachineMap,
  MemorySlots,
  NestedWalk,
  NetMachine,
  OpcodeMap,
  PageWalk,
  Predict,
  PulseGroup,
  QemuAndKvm,
  InterruptLines,
  PhysicalMemory,
  PortMap,
  VectorTable,
  SegmentOffset,
  StackFigure,
  UartInterrupts,
};

export default {
  extends: DefaultTheme,
  Layout: BookLayout,
  enhanceApp({ app, siteData }) {
    for (const [name, component] of Object.entries(components)) app.component(name, component);
    keepForOffline(siteData.value.base);
  },
} satisfies Theme;

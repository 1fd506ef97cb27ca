/** What the monitor panel can show, each with its title. */
export const MONITOR_TABS = [
  ["processor", "Processor"],
  ["memory", "Memory"],
  ["devices", "Devices"],
  ["exits", "Exits"],
  ["packets", "Packets"],
  ["web", "Web page"],
] as const;

export type MonitorTab = (typeof MONITOR_TABS)[number][0];

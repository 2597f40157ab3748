// What a board's JSON may hold, by Grafana's own types: the dashboard, and the panels that ours use. An enum of
// theirs stands for its values, because JSON has no names; what a panel leaves out gets Grafana's default.
import type * as schema from "@grafana/schema";
import type * as heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as timeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Key in keyof T]?: Json<T[Key]> }
        : T;

interface Source {
  type: "prometheus";
  uid: string;
}

// The query of Grafana's Prometheus data source, which has no types in the package of the schema.
interface Target {
  refId: string;
  datasource: Source;
  expr: string;
  legendFormat: string;
  format: "time_series" | "table" | "heatmap";
  instant: boolean;
  range: boolean;
  exemplar: boolean;
}

interface Shown<Kind extends string, Options, Field> {
  id: number;
  type: Kind;
  title: string;
  description: string;
  datasource: Source;
  gridPos: schema.GridPos;
  fieldConfig: {
    defaults: Omit<Json<schema.FieldConfig>, "custom"> & { custom: Json<Field> };
    overrides: {
      matcher: { id: "byName" | "byRegexp" | "byType" | "byFrameRefID"; options: string };
      properties: { id: "color"; value: Json<schema.FieldColor> }[];
    }[];
  };
  options: Json<Options>;
  targets: Target[];
}

type Panel =
  | Shown<"timeseries", timeseries.Options, timeseries.FieldConfig>
  | Shown<"stat", stat.Options, Record<string, never>>
  | Shown<"heatmap", heatmap.Options, heatmap.FieldConfig>
  | Shown<"state-timeline", timeline.Options, timeline.FieldConfig>;

interface Row {
  id: number;
  type: "row";
  title: string;
  collapsed: boolean;
  gridPos: schema.GridPos;
  panels: Panel[];
}

// Grafana itself reads and writes a query variable's text once more under this name.
type Variable = Json<schema.VariableModel> & { definition?: string };

// What an export for sharing asks of whoever imports it.
interface Shared {
  __inputs?: { name: string; label: string; description: string; type: "datasource"; pluginId: string; pluginName: string }[];
  __requires?: { type: "grafana" | "panel" | "datasource"; id: string; name: string; version: string }[];
}

export type Board = Shared &
  Omit<Json<schema.Dashboard>, "panels" | "templating"> & {
    panels: (Row | Panel)[];
    templating: { list: Variable[] };
  };

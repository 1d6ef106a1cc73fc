/** The room's entry for scenarios: their types, the check, and the network that is built of one. */
export { buildScenario } from './build-scenario.ts'
export { checkScenario } from './check-scenario.ts'
export type { EchoSpec, FlowSpec, ProgramSpec, Scenario, ScenarioEvent } from './scenario-types.ts'

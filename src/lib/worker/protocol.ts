/**
 * What the page and the lab's worker say to each other. The open checkpoint, the model and the
 * training run live in the worker; the page holds only what is written here. Every call carries an
 * id; the page may abort it, and a long one reports progress. What goes wrong with the user's files
 * comes back as a Result with findings; a rejected call is a defect of the lab.
 *
 * Types only: both sides import this, nothing here runs.
 */
import type { BesideCalls } from './protocol.beside.ts';
import type { CompareCalls } from './protocol.compare.ts';
import type { EditCalls } from './protocol.edit.ts';
import type { GraphCalls } from './protocol.graph.ts';
import type { InspectCalls } from './protocol.inspect.ts';
import type { KeepCalls } from './protocol.keep.ts';
import type { LibraryCalls } from './protocol.library.ts';
import type { ModelCalls } from './protocol.model.ts';
import type { OpenCalls } from './protocol.open.ts';
import type { ReportCalls } from './protocol.report.ts';
import type { RunCalls } from './protocol.run.ts';
import type { SafetyCalls } from './protocol.safety.ts';
import type { SaveCalls } from './protocol.save.ts';
import type { TableCalls } from './protocol.table.ts';
import type { TrainCalls } from './protocol.train.ts';

export type { Finding, Result } from '#lib/checkpoint/finding.ts';
export type { Dtype } from '#lib/checkpoint/dtype.ts';
export type * from './protocol.beside.ts';
export type * from './protocol.compare.ts';
export type * from './protocol.edit.ts';
export type * from './protocol.graph.ts';
export type * from './protocol.inspect.ts';
export type * from './protocol.keep.ts';
export type * from './protocol.library.ts';
export type * from './protocol.model.ts';
export type * from './protocol.open.ts';
export type * from './protocol.report.ts';
export type * from './protocol.run.ts';
export type * from './protocol.safety.ts';
export type * from './protocol.save.ts';
export type * from './protocol.table.ts';
export type * from './protocol.train.ts';

/** Every call: its argument, what it resolves to, and what it tells on its way. */
export interface Calls
  extends
    OpenCalls,
    TableCalls,
    BesideCalls,
    CompareCalls,
    EditCalls,
    InspectCalls,
    SafetyCalls,
    ModelCalls,
    ReportCalls,
    RunCalls,
    GraphCalls,
    TrainCalls,
    KeepCalls,
    LibraryCalls,
    SaveCalls {}

export type CallName = keyof Calls;
export type Progress<K extends CallName> = Calls[K] extends { progress: infer P } ? P : never;

export type Request =
  | { [K in CallName]: { id: number; call: K; args: Calls[K]['args'] } }[CallName]
  | { id: number; abort: true }
  /** Answered at once, between two steps of whatever runs. */
  | { ping: true };

export type Reply =
  | { pong: true }
  | { id: number; result: unknown }
  | { id: number; progress: unknown }
  | { id: number; error: { name: string; message: string; stack?: string } };

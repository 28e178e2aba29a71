/** All commands, in the order of `amc --help`. */
import type { Command } from './command.ts'
import { archiveCommand, restoreCommand } from './archive.ts'
import { checkpointInspectCommand } from './checkpoint.ts'
import { checkpointConvertCommand, checkpointExportCommand, checkpointImportCommand } from './checkpoint-files.ts'
import { checkpointEmbedCommand } from './checkpoint-embed.ts'
import { benchModelCommand } from './bench.ts'
import { benchCurateCommand } from './bench-curate.ts'
import { compareCommand } from './compare.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { evaluateCommand } from './evaluate.ts'
import { explainCommand } from './explain.ts'
import { exportCommand } from './export.ts'
import { goldenCommand } from './golden.ts'
import { importCommand } from './import.ts'
import { openApiCommand } from './openapi.ts'
import { scoreCommand } from './score.ts'
import { serveCommand } from './serve.ts'
import { trustCommand } from './trust.ts'
import { resumeCommand, trainCommand } from './train.ts'

export const COMMANDS: readonly Command[] = [
  doctorCommand, serveCommand, demoCommand, importCommand, exportCommand, archiveCommand, restoreCommand, trainCommand, resumeCommand, scoreCommand, evaluateCommand, explainCommand, compareCommand, trustCommand,
  checkpointInspectCommand, checkpointConvertCommand, checkpointExportCommand, checkpointImportCommand, checkpointEmbedCommand, goldenCommand, benchModelCommand, benchCurateCommand, openApiCommand,
]

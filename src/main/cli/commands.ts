/** All commands, in the order of `amc --help`. */
import type { Command } from './command.ts'
import { doctorCommand } from './doctor.ts'

export const COMMANDS: readonly Command[] = [doctorCommand]

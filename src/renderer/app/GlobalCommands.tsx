import { ArrowRight, Box, Database, Keyboard, Moon, Sun } from 'lucide-react'
import { useCheckpoints, useDatasets } from '../state/queries.ts'
import { openPalette } from './CommandPalette.tsx'
import { type Command, useCommands } from './commands.ts'
import { leftAt, navigate, type Screen } from './routes.ts'
import { openShortcuts } from './ShortcutSheet.tsx'
import { setTheme, useIsDark } from './theme.ts'

const GO: readonly (readonly [Screen, string, string | null])[] = [
  ['library', 'Library', 'Shift+Digit1'], ['curate', 'Curate', 'Shift+Digit2'], ['train', 'Train', 'Shift+Digit3'],
  ['checkpoints', 'Checkpoints', 'Shift+Digit4'], ['compare', 'Compare', 'Shift+Digit5'], ['settings', 'Settings', null],
]

/** What can be done from everywhere. */
export function GlobalCommands() {
  const dark = useIsDark()
  const datasets = useDatasets()
  const checkpoints = useCheckpoints()
  const commands: Command[] = [
    { id: 'palette.open', title: 'Search or run', group: 'Everywhere', keys: '$mod+k', inDialogs: true, hidden: true, run: openPalette },
    { id: 'shortcuts.open', title: 'Keyboard shortcuts', group: 'Everywhere', keys: '[Shift]+?', icon: Keyboard, run: openShortcuts },
    { id: 'theme.toggle', title: dark ? 'Use the light theme' : 'Use the dark theme', group: 'Everywhere', icon: dark ? Sun : Moon, run: () => setTheme(dark ? 'light' : 'dark') },
    ...GO.map(([screen, title, keys]): Command => ({ id: `go.${screen}`, title, group: 'Go to', icon: ArrowRight, ...(keys ? { keys } : {}), run: () => navigate(screen, leftAt(screen, datasets.data?.map((dataset) => dataset.id))) })),
    ...(datasets.data ?? []).map((dataset): Command => ({ id: `open.dataset.${dataset.id}`, title: dataset.name, group: 'Open', detail: 'dataset', icon: Database, run: () => navigate('curate', { dataset: dataset.id }) })),
    ...(checkpoints.data ?? []).map((checkpoint): Command => ({ id: `open.checkpoint.${checkpoint.id}`, title: checkpoint.name, group: 'Open', detail: 'checkpoint', icon: Box, run: () => navigate('checkpoints', { id: checkpoint.id }) })),
  ]
  useCommands(commands)
  return null
}

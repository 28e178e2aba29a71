import { ArrowRight, Box, Database, Keyboard, Moon, Sun } from 'lucide-react'
import { t } from '../../shared/messages/messages.ts'
import { useCheckpoints, useDatasets } from '../state/queries.ts'
import { openPalette } from './CommandPalette.tsx'
import { type Command, useCommands } from './commands.ts'
import { leftAt, navigate, type Screen } from './routes.ts'
import { openShortcuts } from './ShortcutSheet.tsx'
import { setTheme, useIsDark } from './theme.ts'
import { TITLES } from './TitleBar.tsx'

const GO: readonly (readonly [Screen, string | null])[] = [
  ['library', 'Shift+Digit1'], ['curate', 'Shift+Digit2'], ['train', 'Shift+Digit3'], ['checkpoints', 'Shift+Digit4'], ['compare', 'Shift+Digit5'], ['settings', null],
]

/** What can be done from everywhere. */
export function GlobalCommands() {
  const dark = useIsDark()
  const datasets = useDatasets()
  const checkpoints = useCheckpoints()
  const commands: Command[] = [
    { id: 'palette.open', title: t('Search or run'), group: t('Everywhere'), keys: '$mod+k', inDialogs: true, hidden: true, run: openPalette },
    { id: 'shortcuts.open', title: t('Keyboard shortcuts'), group: t('Everywhere'), keys: '[Shift]+?', icon: Keyboard, run: openShortcuts },
    { id: 'theme.toggle', title: dark ? t('Use the light theme') : t('Use the dark theme'), group: t('Everywhere'), icon: dark ? Sun : Moon, run: () => setTheme(dark ? 'light' : 'dark') },
    ...GO.map(([screen, keys]): Command => ({ id: `go.${screen}`, title: TITLES[screen], group: t('Go to'), icon: ArrowRight, ...(keys ? { keys } : {}), run: () => navigate(screen, leftAt(screen, datasets.data?.map((dataset) => dataset.id))) })),
    ...(datasets.data ?? []).map((dataset): Command => ({ id: `open.dataset.${dataset.id}`, title: dataset.name, group: t('Open', undefined, 'group'), detail: t('dataset'), icon: Database, run: () => navigate('curate', { dataset: dataset.id }) })),
    ...(checkpoints.data ?? []).map((checkpoint): Command => ({ id: `open.checkpoint.${checkpoint.id}`, title: checkpoint.name, group: t('Open', undefined, 'group'), detail: t('checkpoint'), icon: Box, run: () => navigate('checkpoints', { id: checkpoint.id }) })),
  ]
  useCommands(commands)
  return null
}

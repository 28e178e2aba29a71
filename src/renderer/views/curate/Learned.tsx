import { useQuery } from '@tanstack/react-query'
import { GraduationCap, RotateCcw } from 'lucide-react'
import type { Learned } from '../../../shared/contract/contract.ts'
import { t } from '../../../shared/messages/messages.ts'
import { REASON_NAMES } from '../../../shared/suspects/words.ts'
import { api } from '../../state/engine.ts'
import { keys, sentence } from '../../state/queries.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { toast } from '../../ui/toast.tsx'

export function useLearned(wanted: boolean): Learned | null {
  const query = useQuery({ queryKey: [...keys.regions, 'learned'] as const, queryFn: ({ signal }) => api.suspects.learned({}, { signal }), enabled: wanted })
  return query.data ?? null
}

/** What the decisions have taught: how often each reason was right for the reviewers. */
export function LearnedMenu({ learned }: { learned: Learned }) {
  const forget = () => {
    api.suspects.forget({}).then(
      () => toast({ tone: 'positive', title: t('The reasons weigh what they usually do') }),
      (error: unknown) => toast({ tone: 'negative', title: sentence(error) }),
    )
  }
  return (
    <Menu
      align="end" trigger={<IconButton size="s" icon={GraduationCap} label={t('What your decisions taught')} />}
      entries={[
        ...learned.reasons.map(({ name, agreed, asked, weight, usual }) => ({ label: REASON_NAMES[name], detail: t('agreed {agreed} of {asked}, weighs {factor} ×', { agreed, asked, factor: (weight / usual).toFixed(1) }), disabled: true, onSelect: () => undefined })),
        ...(learned.reasons.length > 0 ? [null] : []),
        { label: t('Forget what was learned'), icon: RotateCcw, disabled: learned.decisions === 0, onSelect: forget },
      ]}
    />
  )
}

import { Component, type ReactNode } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { Button } from '../ui/Button.tsx'
import { ErrorNote } from '../ui/Notes.tsx'
import styles from './app.module.css'

/** A fault in one screen leaves the others and everything saved untouched. (React offers this as a class only.) */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    if (this.state.error === null) return this.props.children
    return (
      <div className={styles.crash}>
        <div>
          <ErrorNote error={this.state.error} title={t('This screen stopped working')} onRetry={() => this.setState({ error: null })}>
            <Button size="s" kind="ghost" onClick={() => window.location.reload()}>{t('Reload the page')}</Button>
          </ErrorNote>
        </div>
      </div>
    )
  }
}

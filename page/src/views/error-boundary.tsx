/** A view that fails does not take the page with it. */
import { Component, type ComponentChildren } from 'preact'

export class ErrorBoundary extends Component<{ children: ComponentChildren }, { error: Error | null }> {
  override state = { error: null as Error | null }

  static override getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render() {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <p class="empty" role="alert">
        This view has failed: {error.message}. The scenario is not touched; choose another view.
      </p>
    )
  }
}

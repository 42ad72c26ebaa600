/// The numbers of lines by kind; ``all`` is the sum of the others.
package struct LineCounts: Equatable, Sendable {
    package var all = 0
    package var counted = 0
    /// Of requests that do not match the filter.
    package var filteredOut = 0
    /// Of starts and progress.
    package var passedOver = 0
    /// Lines that are not log lines, or incomplete ones.
    package var unknown = 0
}

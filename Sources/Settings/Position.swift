import Yams

/// A position in a text, counted from 1, columns in Unicode scalars.
package struct Position: Equatable, Sendable {
    package var line = 1
    package var column = 1
}

extension Position {
    /// The position of a node; Yams marks every node that it composes.
    init(of node: Node) { self.init(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1) }
}

/// The characters of the bars.
package enum Bars: Sendable {
    /// The eighths of a block; needs a terminal with Unicode.
    case blocks
    case ascii

    private var heights: [Character] { Array(self == .blocks ? "▁▂▃▄▅▆▇█" : ".:-=+*#@") }

    /// One character for each value, relative to the highest one; a space for `nil`.
    func text(_ values: [Double?]) -> String {
        let heights = heights, highest = values.reduce(0) { max($0, $1 ?? 0) }
        return String(
            values.map { value in
                guard let value else { return " " }
                // Zero has a height of its own, so that a small value differs from it.
                guard value > 0 else { return heights[0] }
                return heights[1 + Int((value / highest * Double(heights.count - 2)).rounded(.down))]
            })
    }
}

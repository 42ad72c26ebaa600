/// Parts what there is among those who want it: nobody gets more than he wants, and who wants more gets as much as any
/// other (max-min fairness).
func shares(of room: Int, among wants: [Int]) -> [Int] {
    var shares = wants.map { _ in 0 }, left = max(0, room), open = wants.count
    for place in wants.indices.sorted(by: { wants[$0] < wants[$1] }) {
        // Those who want little come first and leave the rest to the others; what cannot be parted goes to the last.
        shares[place] = min(wants[place], left / open)
        left -= shares[place]
        open -= 1
    }
    return shares
}

/// Divides room among demands: no demand gets more than it wants, and those that want more get equal shares (max-min
/// fairness).
func shares(of room: Int, among wants: [Int]) -> [Int] {
    var shares = wants.map { _ in 0 }, remaining = max(0, room), open = wants.count
    for index in wants.indices.sorted(by: { wants[$0] < wants[$1] }) {
        // Small demands first, which leave their rest to the others; an indivisible remainder goes to the last.
        shares[index] = min(wants[index], remaining / open)
        remaining -= shares[index]
        open -= 1
    }
    return shares
}

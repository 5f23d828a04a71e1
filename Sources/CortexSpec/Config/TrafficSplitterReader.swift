/// Reads a `TrafficSplitter`.
struct TrafficSplitterReader {
    private let section: Section
    private let context: ReadingContext

    init(_ section: Section, _ context: ReadingContext) {
        self.section = section
        self.context = context
    }

    func read(name: APIName?) -> TrafficSplitterSpec? {
        self.context.require(.trafficSplitter, "kind", of: self.section, value: "TrafficSplitter")
        let networking = NetworkingReader.read(of: self.section, name: name, isSplitter: true, self.context)
        self.section.require("apis", allowed: "it must be a list of name and weight")
        let sections = self.section.sections("apis", allowsNull: true) ?? []
        let targets = sections.compactMap(self.target)
        if self.section.has("apis"), targets.count == sections.count { self.check(sections, targets) }
        guard let name, let networking else { return nil }
        return TrafficSplitterSpec(name: name, networking: networking, apis: targets)
    }

    private func target(_ section: Section) -> TrafficSplitterSpec.Target? {
        section.require("name", allowed: "it must be the name of an API")
        section.require("weight", allowed: "it must be a whole number from 0 to 100")
        let text = section.text("name", allowed: "it must be the name of an API")
        let name = text.flatMap { APIName($0) }
        if let text, name == nil {
            section.fail("name", "\(text.quoted) is not an API name", allowed: "it must be the name of an API")
        }
        let weight = section.integer("weight", in: 0...100)
        self.context.require(.shadow, "shadow", of: section)
        let shadow = section.boolean("shadow") ?? false
        section.finish()
        guard let name, let weight else { return nil }
        return TrafficSplitterSpec.Target(name: name, weight: weight, shadow: shadow)
    }

    private func check(_ sections: [Section], _ targets: [TrafficSplitterSpec.Target]) {
        var places: [APIName: SourcePosition] = [:]
        for (section, target) in zip(sections, targets) {
            if let first = places[target.name] {
                section.fail("name", "\(target.name) is named at \(first) too", allowed: "name each API once")
            }
            places[target.name] = places[target.name] ?? section.position(of: "name")
        }
        for (section, _) in zip(sections, targets).filter(\.1.shadow).dropFirst() {
            section.fail("shadow", "is the second shadow", allowed: "at most one API may be a shadow")
        }
        let sum = targets.filter { !$0.shadow }.reduce(0) { $0 + $1.weight }
        if sum != 100 { self.section.fail("apis", "the weights add up to \(sum)", allowed: "they must add up to 100") }
    }
}

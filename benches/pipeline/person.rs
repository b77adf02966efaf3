//! Made-up people, of whom a shop knows what shops know: 1 KB of traits, a third of it ids, numbers and times.

/// A fair die whose throws follow from a seed.
pub struct Die(u64);

impl Die {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Returns a number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let idx = self.below(words.len() as u64);
        words[usize::try_from(idx).unwrap_or(0)]
    }

    fn word<'a>(&mut self, words: &'a str) -> &'a str {
        let words: Vec<&str> = words.split_whitespace().collect();
        self.one_of(&words)
    }

    fn time(&mut self) -> String {
        let (year, month, day) = (2020 + self.below(6), 1 + self.below(12), 1 + self.below(28));
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        let milli = self.below(1_000);
        format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Returns the traits of somebody, as JSON.
pub fn traits(seed: u64) -> String {
    let die = &mut Die::new(seed);
    format!("{{{},{},{}}}", who(die), what(die), how(die))
}

fn who(die: &mut Die) -> String {
    let (first, last) = (die.word(FIRST), die.word(LAST));
    let place: Vec<&str> = die.word(PLACES).split('/').collect();
    let [city, country, continent, zone, language] = place[..] else {
        return String::new();
    };
    let (number, host, phone) = (
        die.below(100),
        die.word(MAILS),
        die.below(1_000_000_000_000),
    );
    let (low_first, low_last) = (first.to_lowercase(), last.to_lowercase());
    let (year, month, day) = (1940 + die.below(68), 1 + die.below(12), 1 + die.below(28));
    let (street, house, postcode) = (die.word(STREETS), 1 + die.below(200), die.below(100_000));
    format!(
        r#""first_name":"{first}","last_name":"{last}","email":"{low_first}.{low_last}{number}@{host}","phone":"+{phone}","birthday":"{year}-{month:02}-{day:02}","address":"{street} {house}, {postcode:05} {city}","country":"{country}","time_zone":"{continent}/{zone}","language":"{language}""#
    )
}

#[expect(clippy::cast_precision_loss, reason = "amounts are small")]
fn what(die: &mut Die) -> String {
    let (created, seen) = (die.time(), die.time());
    let (newsletter, tier, points) = (die.below(2) == 1, die.word(TIERS), die.below(20_000));
    let (n_orders, value) = (die.below(60), die.below(500_000) as f64 / 100.0);
    let mut category = || die.word(CATEGORIES);
    let categories = [category(), category(), category()].join(r#"",""#);
    let products = [(); 4].map(|()| format!(r#""P{:05}""#, die.below(50_000)));
    let products = products.join(",");
    format!(
        r#""created_at":"{created}","last_login_at":"{seen}","newsletter":{newsletter},"loyalty_tier":"{tier}","loyalty_points":{points},"n_orders":{n_orders},"lifetime_value":{value:.2},"favourite_categories":["{categories}"],"last_products":[{products}]"#
    )
}

fn how(die: &mut Die) -> String {
    let (category, product) = (die.word(CATEGORIES), die.below(50_000));
    let (source, campaign, click) = (die.word(SOURCES), die.word(CAMPAIGNS), die.bits());
    let agent = die.one_of(&AGENTS);
    let token = [(); 8].map(|()| format!("{:016x}", die.bits())).concat();
    let (id, part) = (die.bits(), die.bits());
    format!(
        r#""first_url":"https://shop.example.com/{category}/P{product:05}?utm_source={source}&utm_campaign={campaign}&click={click:016x}","referrer":"https://www.{source}.com/","user_agent":"{agent}","push_token":"{token}","anonymous_id":"{id:016x}{part:016x}""#
    )
}

const FIRST: &str = "\
    Marie Sophie Maria Emma Hannah Mia Anna Lea Lena Julia Laura Sarah Katharina Charlotte Elena \
    Paul Lukas Jonas Leon Finn Noah Elias Maximilian Alexander Felix David Jan Tim Tobias Stefan \
    Andreas Michael Olivia Amelia Isla Ava Oliver George Harry Jack Camille Manon Chloe Lucas \
    Hugo Louis Giulia Francesca Lorenzo Matteo Carmen Lucia Pablo Diego Zofia Jakub Sanne Daan \
    Ingrid Lars";
const LAST: &str = "\
    Mueller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer \
    Richter Klein Wolf Neumann Schwarz Zimmermann Braun Krueger Hofmann Hartmann Lange Werner \
    Krause Lehmann Smith Jones Taylor Brown Williams Wilson Johnson Davies Martin Bernard Dubois \
    Thomas Robert Richard Petit Durand Leroy Moreau Rossi Russo Ferrari Esposito Bianchi Romano \
    Garcia Fernandez Gonzalez Rodriguez Lopez Nowak Kowalski Jansen Visser Hansen";
const STREETS: &str = "\
    Hauptstrasse Schulstrasse Gartenstrasse Bahnhofstrasse Dorfstrasse Bergstrasse Lindenstrasse \
    Kirchweg Waldweg Ringstrasse Goethestrasse Schillerstrasse Mozartstrasse Rosenweg Am-Markt \
    Church-Lane High-Street Station-Road Victoria-Road Mill-Lane Rue-de-la-Gare Rue-Pasteur \
    Avenue-Foch Via-Roma Via-Garibaldi Calle-Mayor Calle-Real Keizersgracht Storgatan Vestergade";
const PLACES: &str = "\
    Berlin/DE/Europe/Berlin/de-DE Hamburg/DE/Europe/Berlin/de-DE Muenchen/DE/Europe/Berlin/de-DE \
    Koeln/DE/Europe/Berlin/de-DE Leipzig/DE/Europe/Berlin/de-DE Wien/AT/Europe/Vienna/de-AT \
    Zuerich/CH/Europe/Zurich/de-CH London/GB/Europe/London/en-GB Leeds/GB/Europe/London/en-GB \
    Paris/FR/Europe/Paris/fr-FR Lyon/FR/Europe/Paris/fr-FR Milano/IT/Europe/Rome/it-IT \
    Madrid/ES/Europe/Madrid/es-ES Warszawa/PL/Europe/Warsaw/pl-PL \
    Utrecht/NL/Europe/Amsterdam/nl-NL Malmoe/SE/Europe/Stockholm/sv-SE";
const MAILS: &str = "\
    gmail.com gmx.de web.de outlook.com yahoo.co.uk icloud.com hotmail.fr t-online.de libero.it \
    example.org";
const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.6723.107 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.2792.79",
    "Mozilla/5.0 (Linux; Android 13; Pixel 7a) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.6613.127 Mobile Safari/537.36",
];
const TIERS: &str = "\
    none bronze silver gold platinum";
const CAMPAIGNS: &str = "\
    spring-sale brand-search retargeting-carts newsletter-welcome black-friday lookalike-buyers \
    influencer-autumn shopping-generic";
const SOURCES: &str = "\
    google facebook instagram tiktok bing newsletter affiliate direct";
const CATEGORIES: &str = "\
    shoes jackets dresses jeans sportswear bags jewellery watches kids home-textiles kitchen \
    lighting garden toys beauty outdoor";

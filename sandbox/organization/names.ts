/**
 * Names, places and phones of the cultures that an international company employs. A name is `native` or `native|ascii`
 * where the letters before the @ cannot be had by taking accents away.
 */
export interface Culture {
  language: string;
  country: string;
  usageLocation: string;
  phone: string;
  /** Most formal display names put the surname first, without a comma. */
  surnameFirst?: true;
  given: readonly string[];
  surnames: readonly string[];
  offices: readonly Office[];
}

export interface Office {
  city: string;
  state: string;
  postalCode: string;
  street: string;
}

const office = (city: string, state: string, postalCode: string, street: string): Office => ({
  city,
  state,
  postalCode,
  street,
});

export const CULTURES = {
  de: {
    language: "de-DE",
    country: "Germany",
    usageLocation: "DE",
    phone: "+49 89",
    given: ["Jürgen", "Sabine", "Jörg", "Käthe", "Friedrich", "Anja", "Björn", "Ursula", "Matthias", "Gülşen"],
    surnames: [
      "Müller|mueller",
      "Schröder|schroeder",
      "Weiß|weiss",
      "von der Heide",
      "Koch",
      "Bäcker|baecker",
      "Groß-Meier|gross-meier",
      "Yılmaz",
      "Schmidt",
      "Krüger|krueger",
    ],
    offices: [
      office("München", "Bayern", "80331", "Sendlinger Straße 14"),
      office("Köln", "Nordrhein-Westfalen", "50667", "Domkloster 4"),
    ],
  },
  fr: {
    language: "fr-FR",
    country: "France",
    usageLocation: "FR",
    phone: "+33 1",
    given: ["Chloé", "François", "Zoë", "Jean-Luc", "Éloïse", "Benoît", "Maëlle", "Loïc", "Anaïs", "Gaël"],
    surnames: [
      "Lefèvre",
      "Dubois",
      "d'Aubigné|daubigne",
      "Gauthier",
      "Le Goff",
      "Beaumont",
      "Noël",
      "Hernández",
      "Benali",
      "Français",
    ],
    offices: [
      office("Paris", "Île-de-France", "75009", "27 rue de Châteaudun"),
      office("Lyon", "Auvergne-Rhône-Alpes", "69002", "5 place Bellecour"),
    ],
  },
  pl: {
    language: "pl-PL",
    country: "Poland",
    usageLocation: "PL",
    phone: "+48 22",
    given: [
      "Łukasz",
      "Małgorzata",
      "Paweł",
      "Agnieszka",
      "Grzegorz",
      "Zuzanna",
      "Stanisław",
      "Żaneta",
      "Krzysztof",
      "Bogumiła",
    ],
    surnames: [
      "Wójcik",
      "Kowalczyk",
      "Dąbrowski",
      "Jabłońska",
      "Szymański",
      "Błaszczykowski",
      "Żak",
      "Grzęda",
      "Świątek",
      "Łoś",
    ],
    offices: [
      office("Warszawa", "Mazowieckie", "00-023", "ul. Widok 8"),
      office("Kraków", "Małopolskie", "31-042", "Rynek Główny 17"),
    ],
  },
  ie: {
    language: "en-IE",
    country: "Ireland",
    usageLocation: "IE",
    phone: "+353 1",
    given: ["Siobhán", "Pádraig", "Aoife", "Ciarán", "Niamh", "Seán", "Gráinne", "Oisín", "Róisín", "Eoghan"],
    surnames: [
      "O'Brien|obrien",
      "Ní Mháille",
      "Mac Gabhann",
      "O'Shaughnessy|oshaughnessy",
      "Byrne",
      "Murphy",
      "Ó Súilleabháin",
      "Kelly",
      "McCarthy",
      "D'Arcy|darcy",
    ],
    offices: [
      office("Dublin", "Leinster", "D02 X285", "70 Sir John Rogerson's Quay"),
      office("Galway", "Connacht", "H91 E9XR", "12 Eyre Square"),
    ],
  },
  es: {
    language: "es-ES",
    country: "Spain",
    usageLocation: "ES",
    phone: "+34 91",
    given: [
      "José María",
      "Begoña",
      "Íñigo",
      "María del Carmen",
      "Ángel",
      "Lucía",
      "Joaquín",
      "Núria",
      "Xavier",
      "Inés",
    ],
    surnames: [
      "García Márquez",
      "Muñoz",
      "Peña",
      "de la Fuente",
      "Ibáñez",
      "Núñez",
      "López i Puig",
      "Etxeberria",
      "Castaño",
      "Güell",
    ],
    offices: [
      office("Madrid", "Comunidad de Madrid", "28014", "Calle de Alcalá 42"),
      office("Barcelona", "Cataluña", "08002", "Carrer del Bisbe 3"),
    ],
  },
  ru: {
    language: "ru-RU",
    country: "Kazakhstan",
    usageLocation: "KZ",
    phone: "+7 727",
    given: [
      "Владимир|vladimir",
      "Анастасия|anastasia",
      "Дмитрий|dmitry",
      "Ольга|olga",
      "Алексей|alexey",
      "Юлия|yulia",
      "Фёдор|fyodor",
      "Светлана|svetlana",
      "Нұрсұлтан|nursultan",
      "Айгүл|aigul",
    ],
    surnames: [
      "Кузнецов|kuznetsov",
      "Соловьёва|solovyova",
      "Щербаков|shcherbakov",
      "Ким|kim",
      "Жуков|zhukov",
      "Ахметов|akhmetov",
      "Цой|tsoy",
      "Волкова|volkova",
      "Ющенко|yushchenko",
      "Орлов|orlov",
    ],
    offices: [office("Алматы", "Алматы", "050000", "проспект Абая 52")],
  },
  ar: {
    language: "ar-AE",
    country: "United Arab Emirates",
    usageLocation: "AE",
    phone: "+971 4",
    given: [
      "محمد|mohammed",
      "فاطمة|fatima",
      "عبد الله|abdullah",
      "نور|noor",
      "أحمد|ahmed",
      "ليلى|layla",
      "يوسف|youssef",
      "مريم|maryam",
      "خالد|khalid",
      "هدى|huda",
    ],
    surnames: [
      "المنصوري|almansoori",
      "بن راشد|binrashid",
      "الحسيني|alhusseini",
      "حداد|haddad",
      "القحطاني|alqahtani",
      "السيد|elsayed",
      "خوري|khoury",
      "الزهراني|alzahrani",
      "منصور|mansour",
      "العامري|alameri",
    ],
    offices: [office("دبي", "دبي", "00000", "شارع الشيخ زايد 101")],
  },
  he: {
    language: "he-IL",
    country: "Israel",
    usageLocation: "IL",
    phone: "+972 3",
    given: ["יעל|yael", "משה|moshe", "נועה|noa", "אבי|avi", "שירה|shira"],
    surnames: ["כהן|cohen", "לוי|levi", "בן-דוד|ben-david", "מזרחי|mizrahi", "פרידמן|friedman"],
    offices: [office("תל אביב", "תל אביב", "6513134", "שדרות רוטשילד 45")],
  },
  el: {
    language: "el-GR",
    country: "Greece",
    usageLocation: "GR",
    phone: "+30 21",
    given: ["Γιώργος|giorgos", "Ελένη|eleni", "Νίκος|nikos", "Σοφία|sofia", "Χρήστος|christos"],
    surnames: [
      "Παπαδόπουλος|papadopoulos",
      "Ιωάννου|ioannou",
      "Καραγιάννης|karagiannis",
      "Ξένου|xenou",
      "Ψαράς|psaras",
    ],
    offices: [office("Αθήνα", "Αττική", "105 57", "Σταδίου 10")],
  },
  en: {
    language: "en-US",
    country: "United States",
    usageLocation: "US",
    phone: "+1 206",
    given: [
      "Emily",
      "DeShawn",
      "Michael",
      "Aaliyah",
      "John-Paul",
      "Grace",
      "Tyrone",
      "Mary Beth",
      "William",
      "Hannah",
      "Carlos",
      "Winona",
    ],
    surnames: [
      "Johnson",
      "O'Neill|oneill",
      "Washington",
      "Smith",
      "MacDonald",
      "Begay",
      "Rodriguez",
      "St. John|stjohn",
      "Jefferson",
      "Lee",
      "Van Buren",
      "Hawaiʻi|hawaii",
    ],
    offices: [
      office("Seattle", "WA", "98101", "1420 Fifth Avenue"),
      office("New York", "NY", "10001", "350 Ninth Avenue, 12th Floor"),
      office("Austin", "TX", "78701", "98 San Jacinto Blvd"),
    ],
  },
  mx: {
    language: "es-MX",
    country: "United States",
    usageLocation: "US",
    phone: "+1 305",
    given: ["Guadalupe", "Jesús", "Xóchitl", "Raúl", "Concepción", "Ángeles"],
    surnames: ["Hernández", "Ordóñez", "Zúñiga", "Villaseñor", "Treviño", "Cuauhtémoc"],
    offices: [office("Miami", "FL", "33131", "701 Brickell Avenue")],
  },
  vi: {
    language: "vi-VN",
    country: "Vietnam",
    usageLocation: "VN",
    phone: "+84 28",
    surnameFirst: true,
    given: ["Thị Minh Khai", "Văn Đức", "Hồng Nhung", "Quốc Trung", "Ánh Tuyết", "Đình Phùng"],
    surnames: ["Nguyễn", "Trần", "Phạm", "Đặng", "Huỳnh", "Võ"],
    offices: [office("Thành phố Hồ Chí Minh", "Quận 1", "700000", "72 Lê Thánh Tôn")],
  },
  ja: {
    language: "ja-JP",
    country: "Japan",
    usageLocation: "JP",
    phone: "+81 3",
    surnameFirst: true,
    given: ["花子|hanako", "太郎|taro", "さくら|sakura", "健一|kenichi", "美咲|misaki", "悠真|yuma"],
    surnames: ["山田|yamada", "佐藤|sato", "髙橋|takahashi", "渡邊|watanabe", "小林|kobayashi", "𠮷田|yoshida"],
    offices: [office("東京", "東京都", "100-0005", "千代田区丸の内1-9-2")],
  },
  ko: {
    language: "ko-KR",
    country: "Korea",
    usageLocation: "KR",
    phone: "+82 2",
    surnameFirst: true,
    given: ["민준|minjun", "서연|seoyeon", "지훈|jihoon", "하은|haeun"],
    surnames: ["김|kim", "이|lee", "박|park", "최|choi"],
    offices: [office("서울", "서울특별시", "04524", "세종대로 110")],
  },
  hi: {
    language: "hi-IN",
    country: "India",
    usageLocation: "IN",
    phone: "+91 80",
    given: ["प्रिया|priya", "Arjun", "Lakshmi", "रोहन|rohan", "Ananya", "Venkata Subramanian"],
    surnames: ["शर्मा|sharma", "Iyer", "Patel", "Krishnamurthy", "सिंह|singh", "Chatterjee"],
    offices: [office("Bengaluru", "Karnataka", "560001", "24 Vittal Mallya Road")],
  },
  zh: {
    language: "zh-CN",
    country: "China",
    usageLocation: "CN",
    phone: "+86 10",
    surnameFirst: true,
    given: [
      "小明|xiaoming",
      "丽华|lihua",
      "建国|jianguo",
      "思雨|siyu",
      "志强|zhiqiang",
      "雪|xue",
      "子涵|zihan",
      "国栋|guodong",
    ],
    surnames: ["王|wang", "李|li", "张|zhang", "欧阳|ouyang", "陈|chen", "司马|sima", "赵|zhao", "吕|lv"],
    offices: [office("北京", "北京市", "100022", "建国路93号"), office("上海", "上海市", "200120", "世纪大道100号")],
  },
} as const satisfies Record<string, Culture>;

export type CultureName = keyof typeof CULTURES;

const LETTERS: Readonly<Record<string, string>> = { ł: "l", đ: "d", ø: "o", ß: "ss", æ: "ae", ı: "i", ʻ: "" };

/** The native spelling and the one for an address: lower-case ASCII letters, digits and hyphens, words joined by nothing. */
export function spellings(name: string): { native: string; ascii: string } {
  const [native = "", explicit] = name.split("|");
  if (explicit !== undefined) return { native, ascii: explicit };
  const ascii = native
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[łđøßæıʻ]/g, (letter) => LETTERS[letter] ?? "")
    .replace(/[^a-z0-9-]/g, "");
  return { native, ascii };
}

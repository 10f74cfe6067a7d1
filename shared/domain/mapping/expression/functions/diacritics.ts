const ASCII = /^[\0-\x7f]*$/;

/**
 * Accented Latin letters become their base letters, by canonical decomposition; the letters that do not decompose are
 * those of Microsoft's table. Other scripts stay: their marks are letters of their own.
 * Source: Entra `functions-for-customizing-application-data.md`, NormalizeDiacritics.
 */
export function normalizeDiacritics(text: string): string {
  if (ASCII.test(text)) return text;
  return text
    .normalize("NFD")
    .replace(/([A-Za-zæÆøØœŒłŁßı])(\p{Mn}*)/gu, (all: string, letter: string, marks: string) => {
      // Only with a macron is it in the table.
      if ((letter === "œ" || letter === "Œ") && !marks.includes("\u0304")) return all;
      return WITHOUT_DECOMPOSITION[letter] ?? letter;
    })
    .normalize("NFC");
}

const WITHOUT_DECOMPOSITION: Readonly<Record<string, string>> = {
  æ: "ae",
  Æ: "AE",
  ø: "oe",
  Ø: "OE",
  œ: "oe",
  Œ: "OE",
  ł: "l",
  Ł: "L",
  ß: "ss",
  ı: "i",
};

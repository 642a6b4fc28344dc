"""Words that tell what a block of a page is, in the languages our sources write.

They only break ties between blocks whose structure says "list"; no page is found by words alone.
"""

from __future__ import annotations

import re


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words))


#: Headings over what a person would subscribe to.
NEWS_HEADING = _any_of(
    r"\bnews\b|latest|headlines|press release|newsroom|updates?\b|stories|\bblog",
    r"новост|лента|последн|свеж|пресс-релиз|событи[яй] дня|текущие события|хроник|новини|навіны|жаңалық|мэдээ",
    r"nachricht|aktuell|neuigkeit|pressemitteilung|meldung|neues\b",
    r"actualit|nouvelle|à la une|communiqué|dernières",
    r"noticia|actualidad|novedades|últimas|notícia|atualidade|notizi|novità|ultime|ultimele|știri|stiri",
    r"vesti\b|vijesti|вести\b|вијести|najnovij|најнови|aktualno|aktuelno|актуелно|novosti",
    r"aktualno[śs]ci|wiadomo[śs]ci|bieżące|wydarzenia|aktuality|zprávy|novinky|správy|hírek|aktuális|uutis|ajankohtais",
    r"haber|xəbər|yenilik|yangilik|nieuws|nyhet|nyheder|uudise|ziņas|naujien|νέα|ειδήσεις",
    r"新闻|新聞|动态|要闻|快讯|资讯|消息|ニュース|お知らせ|新着|뉴스|소식|أخبار|مستجدات|اخبار|חדשות|tin tức|berita",
)
#: Headings over repeats and furniture, even when they also say news ("Popular news", "News archive").
NEVER_HEADING = _any_of(
    r"popular|most (?:read|viewed|commented|shared)|trending|top \d|related|recommended|see also|read also|archive",
    r"forum|discussion|comments?\b|advert|classified|partner|sponsor|gallery|photos?\b|videos?\b|poll\b|tags?\b|subscribe",
    r"популярн|самое читаемое|читаемое|чита[юе]т|обсужда|рекоменд|смотрите также|читайте также|по теме|архив|похож",
    r"форум|комментар|реклам|партн[её]р|спонсор|опрос|голосован|галере|фото|видео|теги|подпис|отзыв|коментар|популярні",
    r"beliebt|meistgelesen|kommentar|anzeige|werbung|archiv|verwandt|umfrage",
    r"plus lus|populaire|commentaire|à lire aussi|sondage|partenaire",
    r"más leíd|lo más|comentari|anuncio|mais lid|mais comentad|comentad|più lett|commenti",
    r"najčitanij|најчитаниј|oglas|оглас|popularno|популарно|komentar|коментар|igre|игре",
    r"najczęściej|popularne|ogłoszenia|komentarze|najčtenější|komentáře|najčítanej|legolvasottabb|hirdetés|luetuimmat",
    r"en çok|yorum|热门|排行|推荐|点击|相关|友情链接|视频|人気|ランキング|関連|인기|관련|الأكثر|تعليق|مقالات ذات|أرشيف",
)
#: Headings over blocks beside the news, unless they name news too ("News and events").
ASIDE_HEADING = _any_of(
    r"announcement|events?\b|calendar|upcoming|links?\b|document|download|categor|follow us|services|projects|quick",
    r"объявлени|анонс|афиш|календар|мероприяти|события|ссылк|документ|рубрик|категори|раздел|метк|конкурс|проект|услуг",
    r"вопрос|ваканси|оголошення|анонси|події|аб'яв|резюме|закупк",
    r"veranstaltung|termin|dokumente|agenda|événement|evénement|annonce|eventos|eventi|avvisi",
    r"dogadjaj|događaj|догађај|najave|kalendarz|dokumenty|akce\b|kalendář|esemény|tapahtumat|etkinlik|duyuru|elanlar|tədbirlər",
    r"公告|通知|专题|链接|下载|イベント|リンク|공지|إعلان|فعاليات|روابط|ملفات",
)
#: Class names and ids of page furniture.
FURNITURE_HINT = re.compile(
    r"(?:^|[\s_-])(?:nav\w*|menu\w*|pager|pagination|paging|breadcrumbs?|crumbs|footer|foot|copyright|tags?|tagcloud|"
    r"cloud|share|sharing|social\w*|soc|login|search|calendar|kalendar\w*|lang(?:uage)?s?|langswitch|counter|sitemap|"
    r"toolbar|cookie\w*|subscribe|partners?|logos?|banner\w*|banery|adv|ads|advert\w*|reklama|sponsor\w*|poll|vote|"
    r"archives?|rss|skip|topbar|hotlinks|links|friends?|weather|currency|breadcrumb\w*|wp-pagenavi|map)(?=[\s_-]|\d|$)"
)
#: Class names and ids of blocks that repeat or accompany the news.
ASIDE_HINT = re.compile(
    r"popular|most-?(?:read|view|comment|popular)|mostread|related|recommend|similar|trending|slider|carousel|slide|"
    r"ticker|marquee|begushaya|forum|comment|announce|anons|afisha|event|widget|sidebar|aside|gallery|foto|photo|video|"
    r"docs|document|partner|banner|oglas|classified|hot-?news|topnews|rightcol|right-col|bestsell"
)
#: Class names and ids that promise a list of news.
NEWS_HINT = re.compile(
    r"news|novost|press|blog|article|posts?\b|stories|story|actual|aktu|vesti|lenta|feed|entries|noticia|notizi|"
    r"archive-list|teasers?|haber|hirek|uutis|content-list|listing|main|content"
)
#: Words in the addresses of news, and of other things.
NEWS_ADDRESS = re.compile(
    r"/(?:news|novosti|novost|press|aktual\w*|actual\w*|noti[cz]\w*|vesti|blog|articles?|stories|archives?/\d|posts?|lenta|"
    r"haber\w*|hirek|uutiset|20\d\d/\d)|news|novost|[?&](?:news|article|newsid|item)",
    re.IGNORECASE,
)
OTHER_ADDRESS = re.compile(
    r"/(?:events?|agenda|calendar|afisha|anons\w*|gallery|galler\w*|photos?|foto\w*|videos?|forum|viewtopic|showthread|docs?|"
    r"documents?|files?|download\w*|tags?|category|catalog\w*|collections?|item|shop|products?|users?|author|oglas\w*|"
    r"classified\w*|vacanc\w*|about|contacts?|services?)(?:[/._?-]|$)|\.(?:pdf|docx?|xlsx?|zip|jpe?g|png)$|//forum\.",
    re.IGNORECASE,
)
#: Class names and itemprops of an item's own parts.
TITLE_HINT = re.compile(
    r"title|headline|heading|(?:^|[\s_-])head(?:er)?(?=[\s_-]|$)|zagolov|caption|(?:^|[\s_-])name(?=[\s_-]|$)|subject|titul|titre|"
    r"titolo|naslov|nazov|nadpis|topic"
)
DATE_HINT = re.compile(
    r"date|(?:^|[\s_-])(?:time|data|datum|day|den|when|published|created|posted|pub|dt|fecha|vreme|tarih|"
    r"datetime|timestamp|byline|postmeta|meta|info)(?=[\s_-]|$)|time"
)
TEASER_HINT = re.compile(
    r"teaser|summary|excerpt|intro|lead|anons|preview|announce|descr|desc\b|text|body|content|abstract|snippet|annot"
)
META_HINT = re.compile(
    r"categor|rubric|tags?\b|author|autor|byline|comment|share|social|views?count|counter|readmore|read-more|more\b|"
    r"links\b|rating|hits|print|edit\b|subscribe"
)
#: Texts of links that lead to the item without being its title.
MORE_TEXT = re.compile(
    r"\W*(?:read|learn|view|see|find out|full|continue|show|go to)?\s*(?:more|details?|full (?:story|article|text)"
    r"|reading)(?:\s+(?:about|on|info\w*))?\W*|\W*(?:подробн\w*|дал[еі]е|читать\w*.{0,20}|полностью|больше|ещ[её]|детальн\w*|докладн\w*|"
    r"чита[тй]\w* .{0,20}|прочетете.{0,20}|повече|више|opširnije|opsirnije|детаљније|detaljnije|još|više|dalje|"
    r"mehr.{0,18}|weiter.{0,12}|lire .{0,18}|(?:en )?savoir plus|la suite|suite|leer .{0,14}|ver más|más|ler .{0,12}|"
    r"saiba mais|leggi .{0,14}|continua.{0,10}|czytaj.{0,14}|więcej.{0,14}|číst .{0,12}|více|tovább.{0,14}|bővebben|"
    r"lue .{0,12}|devam.{0,14}|ətraflı|толығырақ|дэлгэрэнгүй|батафсил|batafsil|更多.{0,4}|"
    r"详细.{0,4}|详情|阅读.{0,6}|查看.{0,6}|続き.{0,6}|"
    r"詳細.{0,6}|もっと.{0,6}|더보기|자세히.{0,4}|المزيد|اقرأ.{0,12}|التفاصيل|إقرأ.{0,12}|comments?|\d+ comments?|"
    r"no comments|leave a .{0,12}|комментари\w*.{0,8}|share|print|pdf)\W*",
    re.IGNORECASE,
)
#: Hosts and schemes of share buttons.
SHARE_LINK = re.compile(
    r"(?:mailto:|tel:|javascript:|whatsapp:|viber:|tg:|data:)"
    r"|(?:https?:)?//(?:www\.|m\.)?(?:facebook|twitter|x|vk|vkontakte|ok|odnoklassniki|linkedin|pinterest|plus\.google|"
    r"instagram|telegram|t\.me|wa\.me|api\.whatsapp|addthis|addtoany|connect\.mail|livejournal|tumblr|reddit|digg|"
    r"del\.icio|delicious|stumbleupon|share\.yandex|bobrdobr|liveinternet)(?:\.com|\.ru|\.us)?(?:/|$)",
    re.IGNORECASE,
)

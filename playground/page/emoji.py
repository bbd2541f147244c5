"""Emoji by Slack's short names: those that teams really type."""

import re

from playground.page.html import Html, tag

SHORTCODE = re.compile(r":([a-z0-9_+'-]+)(?:::skin-tone-[2-6])?:")
_TABLE = """
+1 👍|-1 👎|thumbsup 👍|thumbsdown 👎|ok_hand 👌|clap 👏|wave 👋|pray 🙏|muscle 💪
raised_hands 🙌|raised_hand ✋|point_right 👉|point_left 👈|point_up ☝️|point_down 👇
fist ✊|handshake 🤝|eyes 👀|smile 😄|smiley 😃|grin 😁|grinning 😀|joy 😂|wink 😉|blush 😊
slightly_smiling_face 🙂|sunglasses 😎|thinking_face 🤔|neutral_face 😐|confused 😕
worried 😟|cry 😢|sob 😭|scream 😱|sweat_smile 😅|heart ❤️|blue_heart 💙|green_heart 💚
yellow_heart 💛|purple_heart 💜|broken_heart 💔|sparkling_heart 💖|tada 🎉|confetti_ball 🎊
sparkles ✨|star ⭐|star2 🌟|dizzy 💫|fire 🔥|boom 💥|zap ⚡|rocket 🚀|trophy 🏆|medal 🏅
crown 👑|gift 🎁|balloon 🎈|birthday 🎂|bell 🔔|no_bell 🔕|mega 📣|loudspeaker 📢
speech_balloon 💬|white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌
heavy_multiplication_x ✖️|negative_squared_cross_mark ❎|warning ⚠️|rotating_light 🚨
no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|stop_sign 🛑|construction 🚧|question ❓
exclamation ❗|heavy_exclamation_mark ❗|bangbang ‼️|information_source ℹ️|bulb 💡|mag 🔍
mag_right 🔎|lock 🔒|unlock 🔓|key 🔑|closed_lock_with_key 🔐|shield 🛡️|red_circle 🔴
large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵
large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_green_square 🟩
large_red_square 🟥|large_yellow_square 🟨|white_large_square ⬜|black_large_square ⬛
radio_button 🔘|small_blue_diamond 🔹|hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️
timer_clock ⏲️|alarm_clock ⏰|clock1 🕐|clock3 🕒|watch ⌚|calendar 📆|date 📅
spiral_calendar_pad 🗓️|repeat 🔁|arrows_counterclockwise 🔄|arrows_clockwise 🔃
arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrow_forward ▶️|arrow_heading_up ⤴️
leftwards_arrow_with_hook ↩️|double_vertical_bar ⏸️|black_square_for_stop ⏹️
heavy_plus_sign ➕|heavy_minus_sign ➖|heavy_division_sign ➗|package 📦|file_folder 📁
open_file_folder 📂|page_facing_up 📄|memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|pushpin 📌
paperclip 📎|link 🔗|books 📚|book 📖|bar_chart 📊|chart_with_upwards_trend 📈
chart_with_downwards_trend 📉|moneybag 💰|dollar 💵|credit_card 💳|hammer 🔨|wrench 🔧
hammer_and_wrench 🛠️|gear ⚙️|nut_and_bolt 🔩|test_tube 🧪|microscope 🔬|magnet 🧲
computer 💻|desktop_computer 🖥️|floppy_disk 💾|electric_plug 🔌|satellite 🛰️|robot_face 🤖
alien 👽|ghost 👻|bug 🐛|bee 🐝|snake 🐍|turtle 🐢|octopus 🐙|whale 🐳|bird 🐦|cat 🐱|dog 🐶
unicorn_face 🦄|seedling 🌱|tree 🌳|deciduous_tree 🌳|evergreen_tree 🌲|herb 🌿
four_leaf_clover 🍀|sunny ☀️|partly_sunny ⛅|cloud ☁️|umbrella ☔|snowflake ❄️|rainbow 🌈
ocean 🌊|coffee ☕|pizza 🍕|cake 🍰|beers 🍻|cookie 🍪|earth_americas 🌎
globe_with_meridians 🌐|house 🏠|office 🏢|factory 🏭|building_construction 🏗️|bricks 🧱
ladder 🪜|broom 🧹|wastebasket 🗑️|inbox_tray 📥|outbox_tray 📤|email 📧|envelope ✉️
incoming_envelope 📨|card_index 📇|label 🏷️|bookmark 🔖|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣
five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|keycap_ten 🔟|zero 0️⃣|100 💯|new 🆕|ok 🆗
free 🆓|up 🆙|cool 🆒|recycle ♻️|infinity ♾️|checkered_flag 🏁|triangular_flag_on_post 🚩
thought_balloon 💭|bust_in_silhouette 👤|busts_in_silhouette 👥|technologist 🧑‍💻
scientist 🧑‍🔬|detective 🕵️
"""
EMOJI = {
    name: char
    for line in _TABLE.strip().splitlines()
    for name, char in (pair.split(" ") for pair in line.split("|"))
}


def emoji(name: str) -> Html | None:
    """Return an emoji that screen readers can name, or None for an unknown short name."""
    char = EMOJI.get(name.split("::")[0])
    if char is None:
        return None
    label = name.replace("_", " ")
    return tag("span", char, class_="emoji", role="img", aria_label=label, title=f":{name}:")
